using FsCheck;
using FsCheck.Fluent;
using LoraServe.Models.Forward;
using LoraServe.Serving.Scheduling;

namespace LoraServe.Serving.Tests.Scheduling;

public class SchedulerTests
{
    private static readonly SchedulerLimits s_roomy = new(Rows: 256, LogitRows: 64, Places: 64, AdapterWaitTicks: 0);

    [Fact]
    public void Plan_RandomRequestsFewPagesCancellations_GivesEveryRequestItsOwnAnswer() =>
        Prop.ForAll(ArbMap.Default.ArbFor<int>(), seed => RunRandomly(new Random(seed))).QuickCheckThrowOnFailure();

    [Fact]
    public void Plan_WhenPagesRunOut_PreemptsTheYoungestAndLosesNothing()
    {
        using var harness = new SchedulerHarness(pageCount: 6, s_roomy);
        int[][] prompts = [.. Enumerable.Range(0, 4).Select(i => Prompt(i, 14))];
        GenerationSubmission[] requests = [.. prompts.Select(prompt => SchedulerHarness.Request(prompt, maxTokens: 40))];
        foreach (GenerationSubmission request in requests)
        {
            harness.Scheduler.Add(request);
        }

        Finish(harness, requests);
        Assert.True(harness.Scheduler.Preemptions > 0);
        Assert.All(requests.Zip(prompts), pair => Assert.Equal(SchedulerHarness.Expected(pair.Second, 40), pair.First.Sequences[0].Tokens.ToArray()));
        Assert.Equal(0, harness.Scheduler.Pages.UsedCount);
    }

    [Fact]
    public void Plan_SamePromptAgain_ComputesOnlyWhatIsNotCached()
    {
        using var harness = new SchedulerHarness(pageCount: 16, s_roomy);
        int[] prompt = Prompt(1, 50);
        Finish(harness, Submit(harness, prompt, 4));
        GenerationSubmission again = Submit(harness, prompt, 4);
        Finish(harness, again);
        Assert.Equal(48, again.State.CachedPromptTokens);
    }

    [Fact]
    public void Plan_PrefixCacheOff_FindsNothing()
    {
        using var harness = new SchedulerHarness(pageCount: 16, s_roomy, prefixCache: false);
        int[] prompt = Prompt(1, 50);
        Finish(harness, Submit(harness, prompt, 4));
        GenerationSubmission again = Submit(harness, prompt, 4);
        Finish(harness, again);
        Assert.Equal(0, again.State.CachedPromptTokens);
        Assert.Equal(0, harness.Scheduler.Pages.KeptCount);
    }

    [Fact]
    public void Plan_SeveralChoices_ShareThePromptsPages()
    {
        using var harness = new SchedulerHarness(pageCount: 16, s_roomy);
        GenerationSubmission request = SchedulerHarness.Request(Prompt(1, 40), maxTokens: 4, choices: 4);
        harness.Scheduler.Add(request);
        harness.Step();
        Assert.Equal(3, harness.Scheduler.Pages.UsedCount);
        harness.Step();
        Assert.Equal(2 + 4, harness.Scheduler.Pages.UsedCount);
        Finish(harness, request);
        Assert.All(request.Sequences, sequence => Assert.Equal(SchedulerHarness.Expected(Prompt(1, 40), 4), sequence.Tokens.ToArray()));
    }

    [Fact]
    public void Plan_PromptLongerThanTheBudget_IsComputedInChunksWhileOthersDecode()
    {
        using var harness = new SchedulerHarness(pageCount: 64, new SchedulerLimits(Rows: 20, LogitRows: 8, Places: 8, AdapterWaitTicks: 0));
        GenerationSubmission first = Submit(harness, Prompt(1, 5), 30);
        harness.Step();
        GenerationSubmission second = Submit(harness, Prompt(2, 100), 3);
        harness.Step();
        Assert.Equal([1, 19], harness.Plan.Entries.ToArray().OrderBy(entry => entry.Chunk.Rows).Select(entry => entry.Chunk.Rows));
        Finish(harness, first, second);
    }

    [Fact]
    public void Plan_TwoTenantsOneFloods_SharesTokensEvenly()
    {
        using var harness = new SchedulerHarness(pageCount: 64, new SchedulerLimits(Rows: 64, LogitRows: 8, Places: 2, AdapterWaitTicks: 0));
        GenerationSubmission[] flood = [.. Enumerable.Range(0, 20).Select(i => SchedulerHarness.Request(Prompt(i, 10), 10, tenant: "flood"))];
        Array.ForEach(flood, harness.Scheduler.Add);
        harness.Step();
        GenerationSubmission[] quiet = [.. Enumerable.Range(0, 3).Select(i => SchedulerHarness.Request(Prompt(100 + i, 10), 10, tenant: "quiet"))];
        Array.ForEach(quiet, harness.Scheduler.Add);
        while (!Array.TrueForAll(quiet, request => request.State.IsEnded))
        {
            Assert.True(harness.Step());
        }

        Assert.InRange(flood.Count(request => request.State.IsEnded), 2, 6);
    }

    [Fact]
    public void Plan_WeightedTenants_GetTokensByWeight()
    {
        var weights = new Dictionary<string, double> { ["big"] = 3 };
        using var harness = new SchedulerHarness(pageCount: 64, new SchedulerLimits(Rows: 64, LogitRows: 8, Places: 1, AdapterWaitTicks: 0), weights: weights);
        GenerationSubmission[] big = [.. Enumerable.Range(0, 40).Select(i => SchedulerHarness.Request(Prompt(i, 10), 10, tenant: "big"))];
        GenerationSubmission[] small = [.. Enumerable.Range(0, 40).Select(i => SchedulerHarness.Request(Prompt(99 + i, 10), 10, tenant: "small"))];
        Array.ForEach(big, harness.Scheduler.Add);
        Array.ForEach(small, harness.Scheduler.Add);
        while (!Array.TrueForAll(big, request => request.State.IsEnded))
        {
            Assert.True(harness.Step());
        }

        Assert.InRange(small.Count(request => request.State.IsEnded), 12, 15);
    }

    [Fact]
    public void Plan_Priorities_RunTheSmallerFirstWithinATenant()
    {
        using var harness = new SchedulerHarness(pageCount: 64, new SchedulerLimits(Rows: 64, LogitRows: 8, Places: 1, AdapterWaitTicks: 0));
        GenerationSubmission late = SchedulerHarness.Request(Prompt(1, 4), 4, priority: 5);
        GenerationSubmission early = SchedulerHarness.Request(Prompt(2, 4), 4, priority: -5);
        harness.Scheduler.Add(late);
        harness.Scheduler.Add(early);
        while (!early.State.IsEnded)
        {
            harness.Step();
        }

        Assert.Equal(0, late.State.GeneratedTokens + late.Sequences[0].CachedTokens);
        Finish(harness, late);
    }

    private static void RunRandomly(Random random)
    {
        int pages = random.Next(4, 20);
        var limits = new SchedulerLimits(random.Next(4, 80), random.Next(4, 20), random.Next(4, 10), AdapterWaitTicks: 0);
        using var harness = new SchedulerHarness(pages, limits, prefixCache: random.Next(4) > 0);
        var live = new List<(GenerationSubmission Request, int[] Prompt, int Count)>();
        int left = 25;
        for (int step = 0; left > 0 || live.Count > 0; step++)
        {
            Assert.True(step < 5000, "It does not end.");
            if (left > 0 && random.Next(2) == 0)
            {
                // Few different beginnings, so that prefixes are found, and long enough to run out of pages.
                int length = random.Next(1, pages * KvPage.Tokens * 3 / 4);
                int count = random.Next(1, (pages * KvPage.Tokens) - length + 1);
                int[] prompt = Prompt(random.Next(3), length);
                GenerationSubmission request = SchedulerHarness.Request(prompt, count, random.Next(1, 4), $"{random.Next(3)}", random.Next(2));
                harness.Scheduler.Add(request);
                live.Add((request, prompt, count));
                left--;
            }

            if (live.Count > 0 && random.Next(30) == 0)
            {
                GenerationSubmission cancelled = live[random.Next(live.Count)].Request;
                harness.Scheduler.End(cancelled);
                cancelled.State.IsEnded = true;
                live.RemoveAll(one => one.Request == cancelled);
            }

            harness.Step();
            foreach ((GenerationSubmission request, int[] prompt, int count) in live.Where(one => one.Request.State.IsEnded).ToArray())
            {
                Assert.All(request.Sequences, sequence => Assert.Equal(SchedulerHarness.Expected(prompt, count), sequence.Tokens.ToArray()));
                live.RemoveAll(one => one.Request == request);
            }
        }

        Assert.Equal(0, harness.Scheduler.Pages.UsedCount);
        Assert.Empty(harness.Scheduler.Waiting.Active);
    }

    private static GenerationSubmission Submit(SchedulerHarness harness, int[] prompt, int maxTokens)
    {
        GenerationSubmission request = SchedulerHarness.Request(prompt, maxTokens);
        harness.Scheduler.Add(request);
        return request;
    }

    private static void Finish(SchedulerHarness harness, params GenerationSubmission[] requests)
    {
        while (!Array.TrueForAll(requests, request => request.State.IsEnded))
        {
            Assert.True(harness.Step());
        }
    }

    private static int[] Prompt(int seed, int length)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, length).Select(_ => random.Next(SchedulerHarness.Vocabulary))];
    }
}
