using LoraServe.Fuzz.Seeds;
using LoraServe.Fuzz.Targets;
using LoraServe.Testing;

namespace LoraServe.Fuzz.Runs;

/// <summary>Whether what damage begins with is read at all: what is refused as it is says nothing of what lies behind the refusal.</summary>
internal static class SeedCheck
{
    /// <summary>The seeds that are refused, with why.</summary>
    public static IEnumerable<string> Refused(FuzzTarget target)
    {
        foreach (Seed seed in target.Seeds)
        {
            using var folder = new TemporaryDirectory();
            if (FuzzCase.Run(target, seed, folder.Path) is { } outcome && (outcome.Thrown is not null || outcome.Complaint is not null))
            {
                yield return $"{target.Name} {seed.Name}: {outcome.Complaint} {outcome.Thrown?.Message}";
            }
        }
    }
}
