using LoraServe.Jobs.Options;
using LoraServe.Jobs.Queue;
using LoraServe.Serving.Requests;

namespace LoraServe.Jobs.Tests.Queue;

public sealed class JobQueueTests
{
    private int _jobs;

    [Fact]
    public void Reserve_ATenantsShareIsTaken_LeavesPlacesForOthers()
    {
        var queue = new JobQueue(new TrainingOptions { MaxQueuedJobs = 5 });
        Add(queue, TrainingBench.Alice);
        QueuedJob starting = Reserve(queue, TrainingBench.Alice);

        EngineException refusal = Assert.Throws<EngineException>(() => Reserve(queue, TrainingBench.Alice));
        Assert.Equal(EngineError.QueueFull, refusal.Error);
        Assert.NotNull(refusal.RetryAfter);
        Assert.StartsWith("2 training jobs of tenant 'alice' wait already", refusal.Message, StringComparison.Ordinal);

        Add(queue, TrainingBench.Bob);
        queue.Cancel(starting);
        Add(queue, TrainingBench.Alice);
    }

    [Fact]
    public void Reserve_AnAdministrator_MayTakeEveryPlaceAndNoMore()
    {
        var queue = new JobQueue(new TrainingOptions { MaxQueuedJobs = 3 });
        Add(queue, TrainingBench.Admin);
        Add(queue, TrainingBench.Admin);
        Add(queue, TrainingBench.Admin);

        Assert.StartsWith("3 training jobs wait already", Assert.Throws<EngineException>(() => Reserve(queue, TrainingBench.Alice)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Reserve_WhatRanBeforeARestart_TakesNoPlace()
    {
        var queue = new JobQueue(new TrainingOptions { MaxQueuedJobs = 2 });
        queue.Add(new QueuedJob("ran", TrainingBench.Alice, wasRunning: true));

        Add(queue, TrainingBench.Alice);
    }

    [Fact]
    public void Take_ATenantsShareRuns_TakesTheNextOfOthers()
    {
        var queue = new JobQueue(new TrainingOptions { MaxRunningJobs = 4 });
        QueuedJob[] own = [Add(queue, TrainingBench.Alice), Add(queue, TrainingBench.Alice), Add(queue, TrainingBench.Alice)];

        Assert.Equal(own[0], queue.Take());
        Assert.Equal(own[1], queue.Take());
        Assert.Null(queue.Take());
        QueuedJob others = Add(queue, TrainingBench.Bob);
        Assert.Equal(others, queue.Take());

        queue.Remove(own[0]);
        Assert.Equal(own[2], queue.Take());
    }

    [Fact]
    public void Take_OneAfterTheOther_LetsTenantsTakeTurns()
    {
        var queue = new JobQueue(new TrainingOptions { MaxRunningJobs = 1 });
        Principal[] owners = [TrainingBench.Alice, TrainingBench.Alice, TrainingBench.Alice, TrainingBench.Bob, TrainingBench.Admin, TrainingBench.Bob];
        Array.ForEach(owners, owner => Add(queue, owner));
        var order = new List<string>();
        string[] seen = [.. queue.Order().Select(job => job.Owner.Tenant)];
        while (queue.Take() is { } job)
        {
            Assert.Null(queue.Take());
            order.Add(job.Owner.Tenant);
            queue.Remove(job);
        }

        Assert.Equal(["alice", "bob", "root", "alice", "bob", "alice"], order);
        Assert.Equal(order, seen);
    }

    private QueuedJob Reserve(JobQueue queue, Principal owner) => queue.Reserve($"job-{++_jobs}", owner);

    private QueuedJob Add(JobQueue queue, Principal owner)
    {
        QueuedJob job = Reserve(queue, owner);
        queue.Add(job);
        return job;
    }
}
