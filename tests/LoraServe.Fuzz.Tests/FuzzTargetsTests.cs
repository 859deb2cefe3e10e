using LoraServe.Fuzz.Runs;
using LoraServe.Fuzz.Targets;
using Xunit.Abstractions;

namespace LoraServe.Fuzz.Tests;

/// <summary>Whatever is done to a file, its reader loads it or says which file is wrong and why, soon and within bounds.</summary>
public sealed class FuzzTargetsTests(ITestOutputHelper output)
{
    private const int ShortCases = 300;

    // The same each time, so that what fails is a change of ours; `run` looks for others.
    private const int LongCases = 3000;
    private static readonly TimeSpan s_longBudget = TimeSpan.FromSeconds(10);

    public static TheoryData<string> Targets => [.. FuzzTargets.All.Select(target => target.Name)];

    /// <summary>Damage to what is refused anyway would find nothing.</summary>
    [Theory]
    [MemberData(nameof(Targets))]
    public void Read_Seeds_MostAreLoaded(string target)
    {
        (string Seed, CaseOutcome Outcome)[] seeds = [.. SeedCheck.Outcomes(FuzzTargets.Find(target))];
        string[] refused = [.. seeds.Where(seed => seed.Outcome.Thrown is not null).Select(seed => $"{seed.Seed}: {seed.Outcome.Thrown!.Message}")];

        Assert.NotEmpty(seeds);
        Assert.All(seeds, seed => Assert.Null(seed.Outcome.Complaint));
        Assert.True(refused.Length < (FuzzTargets.Find(target).Seeds.Count + 1) / 2.0, string.Join('\n', refused));
    }

    [Theory]
    [MemberData(nameof(Targets))]
    public void Read_DamagedFiles_LoadOrAreRefused(string target) => Run(target, 0, ShortCases, TimeSpan.MaxValue);

    [Theory]
    [MemberData(nameof(Targets))]
    [Trait("Category", "Long")]
    public void Read_ManyDamagedFiles_LoadOrAreRefused(string target) => Run(target, ShortCases, LongCases, s_longBudget);

    [Fact]
    public void Make_SameNumber_IsTheSameFiles()
    {
        FuzzTarget target = FuzzTargets.Find("adapter");

        Assert.All(Enumerable.Range(0, 50), number => Assert.Equal(FuzzCase.Make(target, number).Files, FuzzCase.Make(target, number).Files));
        Assert.True(Enumerable.Range(0, 50).Select(number => string.Join(',', FuzzCase.Make(target, number).Files.Values.Select(Convert.ToHexString))).Distinct().Count() > 45);
    }

    private void Run(string target, long first, int count, TimeSpan budget)
    {
        RunReport report = new FuzzRun(FuzzTargets.Find(target)).Execute(first, count, budget);
        output.WriteLine(report.ToString());
        Assert.True(report.Findings.Count == 0, string.Join('\n', report.Findings));
        Assert.InRange(report.Cases, 1, count);
    }
}
