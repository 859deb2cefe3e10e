using LoraServe.Serving.Scheduling;

namespace LoraServe.Serving.Tests.Scheduling;

public class FairQueueTests
{
    [Fact]
    public void Peek_WithinATenant_GivesTheSmallerPriorityThenTheEarlierArrival()
    {
        var queue = new FairQueue(new Dictionary<string, double>());
        Sequence[] sequences = [Add(queue, "a", order: 1, priority: 0), Add(queue, "a", order: 2, priority: -1), Add(queue, "a", order: 3, priority: 0), Add(queue, "a", order: 4, priority: -1)];
        Assert.Equal([sequences[1], sequences[3], sequences[0], sequences[2]], TakeAll(queue));
        Assert.Equal(0, queue.Count);
    }

    [Fact]
    public void Peek_AcrossTenants_GivesWhoeverHadTheFewestTokensForItsWeight()
    {
        var queue = new FairQueue(new Dictionary<string, double> { ["heavy"] = 4 });
        Sequence light = Add(queue, "light", order: 1);
        Sequence heavy = Add(queue, "heavy", order: 2);
        light.Owner.State.Tenant.Charge(10);
        heavy.Owner.State.Tenant.Charge(30);
        Assert.Equal([heavy, light], TakeAll(queue));
    }

    [Fact]
    public void Activate_WhoComesBack_StartsAtTheLeastCountOfTheActive()
    {
        var queue = new FairQueue(new Dictionary<string, double>());
        Sequence busy = Add(queue, "busy", order: 1);
        busy.Owner.State.Tenant.Charge(100);
        Assert.Equal(100, Add(queue, "new", order: 2).Owner.State.Tenant.Served);
    }

    [Fact]
    public void Pass_SequencesThatCannotRun_StayAndOthersComeNext()
    {
        var queue = new FairQueue(new Dictionary<string, double>());
        Sequence first = Add(queue, "a", order: 1);
        Sequence second = Add(queue, "a", order: 2);
        queue.BeginScan();
        Assert.Same(first, queue.Peek());
        FairQueue.Pass(first);
        Assert.Same(second, queue.Peek());
        FairQueue.Pass(second);
        Assert.Null(queue.Peek());
        queue.BeginScan();
        Assert.Same(first, queue.Peek());
        Assert.Equal(2, queue.Count);
    }

    [Fact]
    public void Rest_TenantWithoutSequences_IsForgotten()
    {
        var queue = new FairQueue(new Dictionary<string, double>());
        Sequence sequence = Add(queue, "a", order: 1);
        queue.Rest(sequence.Owner.State.Tenant);
        Assert.Single(queue.Active);
        queue.Remove(sequence);
        queue.Rest(sequence.Owner.State.Tenant);
        Assert.Empty(queue.Active);
    }

    private static Sequence Add(FairQueue queue, string tenant, long order, int priority = 0)
    {
        GenerationSubmission submission = SchedulerHarness.Request([1, 2, 3], maxTokens: 4, tenant: tenant, priority: priority);
        submission.State.Tenant = queue.Activate(tenant);
        Sequence sequence = submission.Sequences[0];
        sequence.Order = order;
        queue.Add(sequence);
        return sequence;
    }

    private static List<Sequence> TakeAll(FairQueue queue)
    {
        List<Sequence> taken = [];
        queue.BeginScan();
        while (queue.Peek() is { } next)
        {
            taken.Add(next);
            queue.Remove(next);
        }

        return taken;
    }
}
