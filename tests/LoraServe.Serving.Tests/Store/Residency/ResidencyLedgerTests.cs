using FsCheck;
using FsCheck.Fluent;
using LoraServe.Models.Forward;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Store.Residency;
using LoraServe.Serving.Store.Versions;

namespace LoraServe.Serving.Tests.Store.Residency;

/// <summary>Random requests, pins, budgets, retirements and failing loads against a model that only lists who holds what.</summary>
public class ResidencyLedgerTests
{
    private const int WaitSteps = 5;
    private const int RunSteps = 4;

    [Fact]
    public void RandomEvents_AgainstAListOfRequests_HoldTheBudgetAndAnswerEveryRequest() =>
        Prop.ForAll(ArbMap.Default.ArbFor<int>(), seed => RunRandomly(new Random(seed))).QuickCheckThrowOnFailure();

    [Fact]
    public void TryLease_TwoStacksThatDoNotFitTogether_TakeTurnsWithoutEvictingWhatTheOtherWaitsFor()
    {
        AdapterVersion[] versions = Versions.Create(4, bytes: 10);
        var memory = new SimulatedMemory(budgetBytes: 20, turnTicks: 100, stepsPerLoad: 2);
        var requests = Enumerable.Range(0, 20).Select(i => new Request(Versions.Stack(versions[i % 2 * 2], versions[(i % 2 * 2) + 1]), 0)).ToList();
        requests.ForEach(request => Assert.True(memory.Ledger.AddUser(request.Stack, default)));
        Finish(memory, requests, maxSteps: 200);
        Assert.InRange(memory.Loads, 4, 8);
    }

    [Fact]
    public void TryLease_WhoeverHasTheTurnNeverComes_GivesItUpAfterAWhile()
    {
        AdapterVersion[] versions = Versions.Create(3, bytes: 10);
        var memory = new SimulatedMemory(budgetBytes: 10, turnTicks: 10, stepsPerLoad: 1);
        AdapterStack running = Versions.Stack(versions[0]);
        AdapterStack absent = Versions.Stack(versions[1]);
        AdapterStack waiting = Versions.Stack(versions[2]);
        Array.ForEach([running, absent, waiting], stack => memory.Ledger.AddUser(stack, default));
        memory.Advance();
        memory.Advance();
        Assert.True(memory.TryLease(running, isOverdue: false, 0));
        Assert.False(memory.TryLease(absent, isOverdue: true, 0));
        memory.EndLease(running);
        Wait(5);
        Assert.True(versions[1].State.IsResident);
        Assert.False(memory.TryLease(waiting, isOverdue: true, 0)); // it is there since now, as far as anybody has seen
        Wait(5);
        Assert.False(memory.TryLease(waiting, isOverdue: true, 0));
        Wait(5);
        Assert.True(versions[1].State.IsResident);
        Wait(5);
        Assert.False(memory.TryLease(waiting, isOverdue: true, 0));
        Wait(5);
        Assert.True(memory.TryLease(waiting, isOverdue: true, 0));

        void Wait(int steps)
        {
            for (int i = 0; i < steps; i++)
            {
                memory.Advance();
            }
        }
    }

    [Fact]
    public void RemoveUser_WhoeverHasTheTurnIsCancelled_PassesItOn()
    {
        AdapterVersion[] versions = Versions.Create(3, bytes: 10);
        var memory = new SimulatedMemory(budgetBytes: 10, turnTicks: 100, stepsPerLoad: 1);
        AdapterStack[] stacks = [.. versions.Select(version => Versions.Stack(version))];
        Array.ForEach(stacks, stack => memory.Ledger.AddUser(stack, default));
        memory.Advance();
        memory.Advance();
        Assert.True(memory.TryLease(stacks[0], isOverdue: false, 0));
        Assert.False(memory.TryLease(stacks[1], isOverdue: true, 0));
        memory.Settle();
        Assert.True(versions[0].State.IsDraining);
        memory.Ledger.RemoveUser(stacks[1]);
        memory.Settle();
        Assert.False(versions[0].State.IsDraining); // nobody needs its room for now
        Assert.False(memory.TryLease(stacks[2], isOverdue: true, 0));
        memory.Settle();
        Assert.True(versions[0].State.IsDraining);
        memory.EndLease(stacks[0]);
        memory.Settle();
        memory.Advance();
        Assert.True(memory.TryLease(stacks[2], isOverdue: true, 0));
    }

    [Fact]
    public void Settle_EvictsWhatOthersWaitFor_HasThemAskAgain()
    {
        AdapterVersion[] versions = Versions.Create(2, bytes: 10);
        var memory = new SimulatedMemory(budgetBytes: 10, turnTicks: 100, stepsPerLoad: 1);
        AdapterStack[] stacks = [.. versions.Select(version => Versions.Stack(version))];
        Array.ForEach(stacks, stack => memory.Ledger.AddUser(stack, default));
        memory.Advance();
        memory.Advance();
        Assert.False(memory.TryLease(stacks[1], isOverdue: true, 0));
        long generation = memory.Generation;
        memory.Settle();
        Assert.False(versions[0].State.IsResident);
        Assert.True(memory.Generation > generation);
        Assert.False(memory.TryLease(stacks[0], isOverdue: false, 0));
        memory.Advance();
        Assert.True(memory.TryLease(stacks[1], isOverdue: true, 0));
        memory.EndLease(stacks[1]);
        memory.Ledger.RemoveUser(stacks[1]);
        memory.Settle();
        memory.Advance();
        Assert.True(memory.TryLease(stacks[0], isOverdue: false, 0));
    }

    [Fact]
    public void Settle_RoomIsNeeded_EvictsTheLeastRecentlyUsed()
    {
        AdapterVersion[] versions = Versions.Create(4, bytes: 10);
        var memory = new SimulatedMemory(budgetBytes: 30, turnTicks: 100, stepsPerLoad: 1);
        foreach (int used in new[] { 0, 1, 2, 0 })
        {
            Use(versions[used]);
        }

        Use(versions[3]);
        Assert.Equal([true, false, true, true], versions.Select(version => version.State.IsResident));
        Use(versions[1]);
        Assert.Equal([true, true, false, true], versions.Select(version => version.State.IsResident));

        void Use(AdapterVersion version)
        {
            AdapterStack stack = Versions.Stack(version);
            memory.Ledger.AddUser(stack, default);
            memory.Advance();
            memory.Advance();
            Assert.True(memory.TryLease(stack, isOverdue: false, 0));
            memory.EndLease(stack);
            memory.Ledger.RemoveUser(stack);
        }
    }

    [Fact]
    public void Settle_IdleOnesShareWhatTheNewOneBrings_CountsThatOnce()
    {
        var part = new SharedPart("projection", 100);
        AdapterVersion[] versions = [Versions.Create("a", 1, part), Versions.Create("b", 1, part), Versions.Create("other", 1, new SharedPart("another", 100))];
        var memory = new SimulatedMemory(budgetBytes: 102, turnTicks: 100, stepsPerLoad: 1);
        foreach (AdapterVersion version in versions)
        {
            memory.Ledger.AddUser(Versions.Stack(version), default);
            memory.Settle();
            memory.Ledger.RemoveUser(Versions.Stack(version));
            memory.Advance();
        }

        Assert.Equal(101, memory.Ledger.ResidentBytes);
        Assert.Equal([false, false, true], versions.Select(version => version.State.IsResident));
    }

    [Fact]
    public void LoadFailed_RequestsFromBeforeAreTold_TheNextOneTriesAgain()
    {
        AdapterVersion version = Versions.Create("a", 10);
        var memory = new SimulatedMemory(budgetBytes: 10, turnTicks: 100, stepsPerLoad: 1);
        AdapterStack first = Versions.Stack(version);
        memory.Ledger.AddUser(first, default);
        memory.Advance();
        memory.Advance(fails: () => true);
        Assert.Throws<EngineException>(() => memory.TryLease(first, isOverdue: false, 0));
        memory.Ledger.RemoveUser(first);
        memory.Settle();
        Assert.Equal(1, memory.Loads);
        AdapterStack second = Versions.Stack(version);
        memory.Ledger.AddUser(second, default);
        memory.Advance();
        memory.Advance();
        Assert.True(memory.TryLease(second, isOverdue: false, memory.Now));
        Assert.Equal(2, memory.Loads);
    }

    [Fact]
    public void Pin_MoreThanTheBudget_IsRefusedAndSaysHowMuch()
    {
        AdapterVersion[] versions = Versions.Create(2, bytes: 10);
        var memory = new SimulatedMemory(budgetBytes: 15, turnTicks: 100, stepsPerLoad: 1);
        memory.Ledger.CheckPin(versions[0]);
        memory.Ledger.Pin(versions[0], isPinned: true);
        EngineException refusal = Assert.Throws<EngineException>(() => memory.Ledger.CheckPin(versions[1]));
        Assert.Equal(EngineError.AdapterTooLarge, refusal.Error);
        Assert.Contains("takes 10 bytes and pinned adapters 10", refusal.Message, StringComparison.Ordinal);
        AdapterStack stack = Versions.Stack(versions[1]);
        memory.Ledger.AddUser(stack, default);
        Assert.Throws<EngineException>(() => memory.TryLease(stack, isOverdue: false, 0));
        memory.Advance();
        memory.Advance();
        Assert.True(versions[0].State.IsResident);
        memory.Ledger.Pin(versions[0], isPinned: false);
        memory.Settle();
        Assert.False(memory.TryLease(stack, isOverdue: false, 0));
    }

    private static void RunRandomly(Random random)
    {
        SharedPart[] parts = [new("p", 8), new("q", 8)];
        AdapterVersion[] versions = [.. Enumerable.Range(0, 8).Select(i => Versions.Create($"a{i}", random.Next(1, 12), parts[..random.Next(3)]))];
        long budget = 60;
        var memory = new SimulatedMemory(budget, turnTicks: 3 * WaitSteps, stepsPerLoad: random.Next(1, 4));
        List<Request> requests = [];
        for (int step = 0; step < 150; step++)
        {
            AdapterVersion version = versions[random.Next(versions.Length)];
            switch (random.Next(8))
            {
                case 0:
                    memory.Ledger.SetBudget(budget = random.Next(30, 80));
                    break;
                case 1 when !version.State.IsPinned && !version.State.IsRetired && random.Next(3) == 0:
                    TryPin(memory.Ledger, version);
                    break;
                case 2:
                    memory.Ledger.Pin(version, isPinned: false);
                    break;
                case 3 when random.Next(6) == 0 && !version.State.IsRetired:
                    memory.Ledger.Retire(version, deleteFiles: false);
                    break;
                case 4 when requests.Count > 0:
                    End(memory, requests, requests[random.Next(requests.Count)]);
                    break;
                default:
                    var request = new Request(Versions.Stack([.. random.GetItems(versions, random.Next(1, 3)).Distinct()]), memory.Now);
                    if (memory.Ledger.AddUser(request.Stack, default))
                    {
                        requests.Add(request);
                    }

                    break;
            }

            Step(memory, requests, versions, () => random.Next(10) == 0);
        }

        // Whoever is left is answered or refused, whatever came before.
        for (int step = 0; requests.Count > 0; step++)
        {
            Assert.True(step < 2000, "Somebody waits forever.");
            Step(memory, requests, versions, static () => false);
        }

        Assert.All(versions, version => Assert.Equal((0, 0), (version.State.Users, version.State.Leases)));
        Assert.All(versions.Where(version => version.State.IsRetired), version => Assert.False(version.State.IsResident));
    }

    private static void Step(SimulatedMemory memory, List<Request> requests, AdapterVersion[] versions, Func<bool> fails)
    {
        long taken = Bytes(versions.Where(version => version.State.IsResident || version.State.IsLoading));
        var stays = versions.Where(version => version.State.IsResident && (version.State.IsPinned || requests.Exists(request => request.Until > 0 && request.Stack.Contains(version)))).ToHashSet();
        memory.Advance(fails);
        memory.Ledger.CheckIntegrity();
        Assert.DoesNotContain(memory.Evicted, stays.Contains);
        AdapterVersion[] here = [.. versions.Where(version => version.State.IsResident || version.State.IsLoading)];
        Assert.Equal(here.Where(version => version.State.IsLoading).ToHashSet(), memory.Loading.ToHashSet());

        // More than the budget only since it was made smaller, and only what cannot go: what runs, is pinned, loads or has its turn.
        Assert.True(
            Bytes(here) <= memory.Ledger.BudgetBytes
            || (Bytes(here) <= taken && here.All(version => version.State is { Leases: > 0 } or { IsPinned: true } or { IsLoading: true } or { IsInTurn: true })));
        foreach (Request request in requests.ToArray())
        {
            if (request.Until > 0)
            {
                if (request.Until <= memory.Now)
                {
                    End(memory, requests, request);
                }

                continue;
            }

            try
            {
                if (memory.TryLease(request.Stack, memory.Now - request.ArrivedAt > WaitSteps, request.ArrivedAt))
                {
                    request.Until = memory.Now + RunSteps;
                    Assert.All(request.Stack.Versions.ToArray(), version => Assert.True(version.State is { IsResident: true, IsDraining: false }));
                }
            }
            catch (EngineException)
            {
                End(memory, requests, request);
            }
        }

        foreach (AdapterVersion version in versions)
        {
            Assert.Equal(requests.Count(request => request.Stack.Contains(version)), version.State.Users);
            Assert.Equal(requests.Count(request => request.Until > 0 && request.Stack.Contains(version)), version.State.Leases);
        }
    }

    private static void Finish(SimulatedMemory memory, List<Request> requests, int maxSteps)
    {
        AdapterVersion[] versions = [.. requests.SelectMany(request => request.Stack.Versions.ToArray()).Distinct()];
        for (int step = 0; requests.Count > 0; step++)
        {
            Assert.True(step < maxSteps, $"{requests.Count} requests wait after {step} steps.");
            Step(memory, requests, versions, static () => false);
        }
    }

    private static void End(SimulatedMemory memory, List<Request> requests, Request request)
    {
        if (request.Until > 0)
        {
            memory.EndLease(request.Stack);
        }

        memory.Ledger.RemoveUser(request.Stack);
        requests.Remove(request);
    }

    private static void TryPin(ResidencyLedger ledger, AdapterVersion version)
    {
        try
        {
            ledger.CheckPin(version);
            ledger.Pin(version, isPinned: true);
        }
        catch (EngineException refusal) when (refusal.Error == EngineError.AdapterTooLarge)
        {
            // Then it is not pinned.
        }
    }

    private static long Bytes(IEnumerable<AdapterVersion> versions)
    {
        AdapterVersion[] all = [.. versions];
        return all.Sum(version => version.ResidentBytes) + all.SelectMany(version => version.Manifest.SharedParts).Distinct().Sum(part => part.Bytes);
    }

    private sealed class Request(AdapterStack stack, long arrivedAt)
    {
        public AdapterStack Stack { get; } = stack;

        public long ArrivedAt { get; } = arrivedAt;

        /// <summary>When it has run; 0 while it waits.</summary>
        public long Until { get; set; }
    }
}
