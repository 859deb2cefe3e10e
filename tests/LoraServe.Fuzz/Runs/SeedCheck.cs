using LoraServe.Fuzz.Seeds;
using LoraServe.Fuzz.Targets;
using LoraServe.Testing;

namespace LoraServe.Fuzz.Runs;

/// <summary>Whether what damage begins with is read at all: what is refused as it is says nothing of what lies behind the refusal.</summary>
internal static class SeedCheck
{
    /// <summary>What comes of each seed, undamaged.</summary>
    public static IEnumerable<(string Seed, CaseOutcome Outcome)> Outcomes(FuzzTarget target)
    {
        foreach (Seed seed in target.Seeds)
        {
            using var folder = new TemporaryDirectory();
            yield return (seed.Name, FuzzCase.Run(target, seed, folder.Path));
        }
    }
}
