using LoraServe.Serving.Store;
using LoraServe.Serving.Store.Residency;

namespace LoraServe.Serving.Cache;

/// <summary>What a request's pages are keyed by besides tokens. Until an activated adapter acts, pages are those of the model without it.</summary>
/// <param name="Before">Salt of pages that end at or before <paramref name="SharedUntil"/>.</param>
/// <param name="SharedUntil">First position that an activated adapter acts on; 0 where all act from the beginning.</param>
/// <param name="After">Salt of the pages after that.</param>
/// <param name="Stack">What all requests for the same adapters have in common, whoever makes them: no key, but an order that puts them side by side in a step.</param>
internal readonly record struct PageSalts(UInt128 Before, int SharedUntil, UInt128 After, UInt128 Stack)
{
    /// <summary>The salts of a prompt.</summary>
    /// <param name="owner">Whose pages they are: nobody else finds them. Empty where all share.</param>
    /// <param name="adapters">The adapters.</param>
    /// <param name="activeFrom">First position that each acts on.</param>
    public static PageSalts Of(string owner, AdapterStack adapters, ReadOnlySpan<int> activeFrom)
    {
        var before = new List<(string, float, int)>();
        var after = new List<(string, float, int)>();
        int sharedUntil = int.MaxValue;
        for (int i = 0; i < adapters.Count; i++)
        {
            (AdapterVersion version, float weight) = adapters[i];
            after.Add((version.Digest, weight, activeFrom[i]));
            if (activeFrom[i] == 0)
            {
                before.Add((version.Digest, weight, 0));
            }
            else
            {
                sharedUntil = Math.Min(sharedUntil, activeFrom[i]);
            }
        }

        return new PageSalts(PrefixSalt.Of(owner, before), sharedUntil, PrefixSalt.Of(owner, after), PrefixSalt.Of("", after));
    }
}
