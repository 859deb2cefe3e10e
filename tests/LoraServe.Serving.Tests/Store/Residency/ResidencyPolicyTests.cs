using FsCheck;
using FsCheck.Fluent;
using LoraServe.Serving.Store.Residency;

namespace LoraServe.Serving.Tests.Store.Residency;

public class ResidencyPolicyTests
{
    private static readonly ResidencyEntry s_idle = new(10, IsUrgent: false, IsPinned: false, IsLeased: false, IsWanted: false, IsDraining: false);
    private static readonly ResidencyEntry s_waitedFor = s_idle with { IsWanted = true };
    private static readonly ResidencyEntry s_running = s_waitedFor with { IsLeased = true };
    private static readonly ResidencyEntry s_urgent = s_waitedFor with { IsUrgent = true };

    [Fact]
    public void Next_RandomStates_DecidesAsTheRulesRead() =>
        Prop.ForAll(ArbMap.Default.ArbFor<int>(), seed => CompareWithRules(new Random(seed))).QuickCheckThrowOnFailure();

    [Fact]
    public void Next_RoomIsThere_LoadsWhoAskedFirst() => Decides(ResidencyStep.Load, 0, free: 20, [], [s_waitedFor, s_waitedFor]);

    [Fact]
    public void Next_FirstDoesNotFitButAnotherDoes_LoadsThat() => Decides(ResidencyStep.Load, 1, free: 10, [s_running], [s_waitedFor with { Bytes = 30 }, s_waitedFor]);

    [Fact]
    public void Next_IdleSuffice_EvictsTheLeastRecentlyUsedOfThem() => Decides(ResidencyStep.Evict, 1, free: 0, [s_waitedFor, s_idle, s_idle], [s_waitedFor]);

    [Fact]
    public void Next_IdleDoNotSuffice_EvictsNothing() => Decides(ResidencyStep.None, -1, free: 0, [s_idle, s_waitedFor], [s_waitedFor with { Bytes = 20 }]);

    [Fact]
    public void Next_OthersWaitForAllThatIsThere_EvictsNothing() => Decides(ResidencyStep.None, -1, free: 0, [s_waitedFor, s_running], [s_waitedFor]);

    [Fact]
    public void Next_SomeonesTurn_EvictsAlsoWhatOthersOnlyWaitFor() => Decides(ResidencyStep.Evict, 1, free: 0, [s_running, s_waitedFor, s_waitedFor], [s_waitedFor, s_urgent]);

    [Fact]
    public void Next_SomeonesTurnAndAllRun_DrainsAsManyAsItNeeds()
    {
        ResidencyEntry draining = s_running with { IsDraining = true };
        Decides(ResidencyStep.Drain, 0, free: 0, [s_running, s_running, s_running], [s_urgent with { Bytes = 20 }]);
        Decides(ResidencyStep.Drain, 1, free: 0, [draining, s_running, s_running], [s_urgent with { Bytes = 20 }]);
        Decides(ResidencyStep.None, -1, free: 0, [draining, draining, s_running], [s_urgent with { Bytes = 20 }]);
    }

    [Fact]
    public void Next_SomeonesTurn_LeavesPinnedOnesAndItsOwn() =>
        Decides(ResidencyStep.None, -1, free: 0, [s_running with { IsPinned = true }, s_idle with { IsPinned = true }, s_urgent, s_running with { IsUrgent = true }], [s_urgent]);

    [Fact]
    public void Next_NobodysTurnAnyMore_LetsDrainingOnesTakeRequests() => Decides(ResidencyStep.Resume, 1, free: 0, [s_running, s_running with { IsDraining = true }], [s_waitedFor]);

    [Fact]
    public void Next_BudgetMadeSmaller_EvictsWhatNobodyRunsOn() => Decides(ResidencyStep.Evict, 2, free: -1, [s_running, s_waitedFor, s_idle], []);

    private static void Decides(ResidencyStep step, int index, long free, ResidencyEntry[] residents, ResidencyEntry[] asked) =>
        Assert.Equal((step, index), ResidencyPolicy.Next(free, residents.Where(entry => entry.IsIdle).Sum(entry => entry.Bytes), residents, asked));

    private static void CompareWithRules(Random random)
    {
        ResidencyEntry[] residents = [.. Enumerable.Range(0, random.Next(8)).Select(_ => Entry(random))];
        ResidencyEntry[] asked = [.. Enumerable.Range(0, random.Next(5)).Select(_ => Entry(random) with { IsLeased = false, IsDraining = false })];
        long free = random.Next(-5, 40);
        (ResidencyStep step, int index) = Rules(free, residents, asked);
        Decides(step, index, free, residents, asked);
    }

    private static ResidencyEntry Entry(Random random)
    {
        bool isLeased = random.Next(3) == 0;
        bool isPinned = random.Next(6) == 0;
        return new ResidencyEntry(
            random.Next(1, 30), IsUrgent: random.Next(6) == 0, isPinned, isLeased, IsWanted: isLeased || random.Next(2) == 0, IsDraining: !isPinned && random.Next(6) == 0);
    }

    // The rules as sentences, without regard to work.
    private static (ResidencyStep Step, int Index) Rules(long free, ResidencyEntry[] residents, ResidencyEntry[] asked)
    {
        ResidencyEntry[] mayGo = [.. residents.Where(entry => entry is { IsLeased: false, IsPinned: false, IsUrgent: false }).OrderBy(entry => entry.IsWanted)];
        ResidencyEntry[] mayDrain = [.. residents.Where(entry => entry is { IsLeased: true, IsPinned: false, IsUrgent: false, IsDraining: false })];
        ResidencyEntry[] draining = [.. residents.Where(entry => entry.IsDraining)];
        ResidencyEntry[] urgent = [.. asked.Where(entry => entry.IsUrgent)];
        ResidencyEntry[] fitting = [.. asked.Where(entry => entry.Bytes <= free + mayGo.Where(other => !other.IsWanted).Sum(other => other.Bytes))];
        return
            free < 0 && mayGo.Length > 0 ? (ResidencyStep.Evict, Array.IndexOf(residents, mayGo[0]))
            : urgent.Length > 0 && urgent[0].Bytes <= free ? (ResidencyStep.Load, Array.IndexOf(asked, urgent[0]))
            : urgent.Length > 0 && mayGo.Length > 0 ? (ResidencyStep.Evict, Array.IndexOf(residents, mayGo[0]))
            : urgent.Length > 0 && mayDrain.Length > 0 && free + draining.Sum(entry => entry.Bytes) < urgent[0].Bytes ? (ResidencyStep.Drain, Array.IndexOf(residents, mayDrain[0]))
            : urgent.Length > 0 ? (ResidencyStep.None, -1)
            : draining.Length > 0 ? (ResidencyStep.Resume, Array.IndexOf(residents, draining[0]))
            : fitting.Length == 0 ? (ResidencyStep.None, -1)
            : fitting[0].Bytes <= free ? (ResidencyStep.Load, Array.IndexOf(asked, fitting[0]))
            : (ResidencyStep.Evict, Array.IndexOf(residents, mayGo[0]));
    }
}
