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
    /// <param name="adapters">In order: digest with its task, weight, and the first position that each acts on.</param>
    public static PageSalts Of(string owner, IReadOnlyList<(string Digest, float Weight, int ActiveFrom)> adapters)
    {
        int sharedUntil = adapters.Where(adapter => adapter.ActiveFrom != 0).Select(adapter => adapter.ActiveFrom).DefaultIfEmpty(int.MaxValue).Min();
        return new PageSalts(PrefixSalt.Of(owner, adapters.Where(adapter => adapter.ActiveFrom == 0)), sharedUntil, PrefixSalt.Of(owner, adapters), PrefixSalt.Of("", adapters));
    }

    /// <summary>The salt of a page.</summary>
    /// <param name="endPosition">Position after its last.</param>
    public UInt128 At(int endPosition) => endPosition <= SharedUntil ? Before : After;
}
