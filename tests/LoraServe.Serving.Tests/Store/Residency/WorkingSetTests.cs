using LoraServe.Serving.Scheduling;
using LoraServe.Serving.Store.Versions;
using LoraServe.Serving.Tests.Scheduling;
using Xunit.Abstractions;

namespace LoraServe.Serving.Tests.Store.Residency;

/// <summary>More adapters than there is room for: counted in steps and loads, so that it is the same on every machine.</summary>
public class WorkingSetTests(ITestOutputHelper output)
{
    private const int InBudget = 8;
    private const int Places = 16;
    private const int Tokens = 16;
    private const int StepsPerLoad = 5;
    private const int WaitSteps = 40;

    [Fact]
    public void WorkingSet_HalfToFourTimesTheBudget_HasNoCliff()
    {
        const int Requests = 512;
        double full = 0;
        foreach (double ratio in new[] { 0.5, 1, 2, 4 })
        {
            int count = (int)(ratio * InBudget);
            (int steps, int loads) = Serve(count, Requests);
            double rate = (double)Requests * Tokens / steps;
            full = ratio == 1 ? rate : full;
            output.WriteLine($"working set {ratio} × budget: {rate:0.0} tokens a step, {(double)loads / Requests:0.000} loads a request{(full > 0 ? $", {rate / full:0.00} of what fits" : "")}");

            // What fits is loaded once. Of what does not, all requests for an adapter that are there run while it is resident.
            Assert.True(ratio > 1 || loads == count, $"{loads} loads of {count} adapters");
            Assert.True(rate >= 0.5 * full, $"{rate} tokens a step, {full} of what fits");
            Assert.True(loads <= 0.25 * Requests, $"{loads} loads for {Requests} requests");
        }
    }

    [Fact]
    public void Admit_OthersFillAllRoomForEver_ColdRequestsBeginWithinABound()
    {
        const int Cold = 3;
        AdapterVersion[] versions = Versions.Create(InBudget + Cold, bytes: 10);
        var memory = new SimulatedMemory(InBudget * 10, WaitSteps, StepsPerLoad);
        using SchedulerHarness harness = Harness(memory);
        List<GenerationSubmission> requests = [];
        int next = 0;
        for (int step = 0; step < 50; step++)
        {
            StepAmongOthers();
        }

        GenerationSubmission[] cold = [.. versions[InBudget..].Select(version => Submit(harness, memory, version))];
        Assert.Equal(InBudget, memory.Loads);
        int[] begun = new int[Cold];
        for (int step = 1; Array.Exists(begun, one => one == 0); step++)
        {
            // One turn after another: whoever runs on what is to go ends, then the new one is loaded.
            Assert.True(step <= WaitSteps + (Cold * (Tokens + StepsPerLoad + 3)), $"Not begun after {step} steps: {string.Join(' ', begun)}");
            StepAmongOthers();
            for (int i = 0; i < Cold; i++)
            {
                begun[i] = begun[i] == 0 && cold[i].Sequences[0].TokenCount > cold[i].PromptLength ? step : begun[i];
            }
        }

        output.WriteLine($"begun after {string.Join(", ", begun)} steps");

        void StepAmongOthers()
        {
            requests.RemoveAll(request => request.State.IsEnded);
            while (requests.Count < Places - Cold)
            {
                requests.Add(Submit(harness, memory, versions[next++ % InBudget]));
            }

            memory.Advance();
            harness.Step(memory.Now);
        }
    }

    [Fact]
    public void Plan_ManyWaitForColdAdapters_AllocatesAndAsksNothingBetweenChanges()
    {
        const int Residents = 1000;
        const int Waiting = 100;
        AdapterVersion[] versions = Versions.Create(Residents + Waiting, bytes: 10);
        var memory = new SimulatedMemory(Residents * 10, WaitSteps, StepsPerLoad);
        using SchedulerHarness harness = Harness(memory);
        foreach (AdapterVersion version in versions[..Residents])
        {
            memory.Ledger.AddUser(Versions.Stack(version), default); // so that none of them is idle
        }

        Advance();
        Assert.Equal(Residents, memory.Loads);
        harness.Scheduler.Add(SchedulerHarness.Request([1, 2, 3], maxTokens: 60));
        foreach (AdapterVersion version in versions[Residents..])
        {
            AdapterStack stack = Versions.Stack(version);
            memory.Ledger.AddUser(stack, default);
            harness.Scheduler.Add(SchedulerHarness.Request([1, 2, 3], maxTokens: 4, adapters: stack, arrivedAt: memory.Now));
        }

        Advance();
        Assert.True(harness.Step(memory.Now));
        Assert.Equal(Waiting, memory.Asked);
        for (int i = 0; i < 20; i++)
        {
            Assert.True(harness.Step(memory.Now));
            Assert.Equal((0, Waiting), (harness.PlanningAllocated, memory.Asked));
        }

        // Time passes and they are overdue: each asks once more, and again nothing until something changes.
        for (int i = 0; i < 20; i++)
        {
            Assert.True(harness.Step(memory.Now + WaitSteps + 1));
            Assert.Equal((0, 2 * Waiting), (harness.PlanningAllocated, memory.Asked));
        }

        void Advance()
        {
            for (int i = 0; i <= StepsPerLoad; i++)
            {
                memory.Advance();
            }
        }
    }

    private static (int Steps, int Loads) Serve(int adapters, int requests)
    {
        AdapterVersion[] versions = Versions.Create(adapters, bytes: 10);
        var memory = new SimulatedMemory(InBudget * 10, WaitSteps, StepsPerLoad);
        using SchedulerHarness harness = Harness(memory);

        // Each adapter is asked for equally often, in an order that says nothing.
        int[] order = [.. Enumerable.Range(0, requests).Select(i => i % adapters)];
        new Random(adapters).Shuffle(order);
        GenerationSubmission[] all = [.. order.Select(i => Submit(harness, memory, versions[i]))];
        int steps = 0;
        while (!Array.TrueForAll(all, request => request.State.IsEnded))
        {
            Assert.True(steps++ < 100 * requests, "It does not end.");
            memory.Advance();
            harness.Step(memory.Now);
            Assert.True(memory.Ledger.ResidentBytes <= InBudget * 10);
        }

        return (steps, memory.Loads);
    }

    private static SchedulerHarness Harness(SimulatedMemory memory) =>
        new(pageCount: 128, new SchedulerLimits(Rows: 256, LogitRows: 64, Places, WaitSteps), leases: memory);

    private static GenerationSubmission Submit(SchedulerHarness harness, SimulatedMemory memory, AdapterVersion version)
    {
        AdapterStack stack = Versions.Stack(version);
        Assert.True(memory.Ledger.AddUser(stack, default));
        GenerationSubmission request = SchedulerHarness.Request([1, 2, 3, 4], Tokens, adapters: stack, arrivedAt: memory.Now);
        harness.Scheduler.Add(request);
        return request;
    }
}
