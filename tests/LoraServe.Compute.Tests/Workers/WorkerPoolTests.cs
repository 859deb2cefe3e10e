using LoraServe.Compute.Workers;

namespace LoraServe.Compute.Tests.Workers;

public class WorkerPoolTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Run_ManyJobs_RunsEveryShareOnce(int workers)
    {
        using var pool = new WorkerPool(workers);
        int[] times = new int[workers];
        for (int i = 0; i < 2000; i++)
        {
            if (i % 500 == 499)
            {
                // Long enough for the threads to park.
                Thread.Sleep(20);
            }

            var job = new CountingJob(times);
            pool.Run(ref job);
            Assert.All(times, count => Assert.Equal(i + 1, count));
        }
    }

    [Fact]
    public void Run_AShareThatThrows_ThrowsAtTheCallerAndLeavesThePoolUsable()
    {
        using var pool = new WorkerPool(3);
        for (int thrower = 0; thrower < 3; thrower++)
        {
            var failing = new FailingJob(thrower);
            var thrown = Assert.Throws<InvalidOperationException>(() => pool.Run(ref failing));
            Assert.Equal($"share {thrower}", thrown.Message);
        }

        int[] times = new int[3];
        var job = new CountingJob(times);
        pool.Run(ref job);
        Assert.Equal([1, 1, 1], times);
    }

    [Fact]
    public void Run_JobsFromSeveralThreads_OneAfterAnother()
    {
        using var pool = new WorkerPool(2);
        int[] times = new int[2];
        Parallel.For(0, 200, _ =>
        {
            var job = new CountingJob(times);
            pool.Run(ref job);
        });
        Assert.Equal([200, 200], times);
    }

    [Fact]
    public void Run_ChangesToTheJob_ReachTheCaller()
    {
        using var pool = new WorkerPool(4);
        var job = new SummingJob();
        pool.Run(ref job);
        Assert.Equal(0 + 1 + 2 + 3, job.Sum);
    }

    [Fact]
    public void Run_OnceWarm_AllocatesNothing()
    {
        using var pool = new WorkerPool(2);
        var job = new SummingJob();
        pool.Run(ref job);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            pool.Run(ref job);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Dispose_ThenRun_IsRefused()
    {
        var pool = new WorkerPool(2);
        pool.Dispose();
        pool.Dispose();
        var job = new SummingJob();
        Assert.Throws<ObjectDisposedException>(() => pool.Run(ref job));
        Assert.Throws<ArgumentOutOfRangeException>(() => new WorkerPool(0));
    }

    private readonly struct CountingJob(int[] times) : IParallelJob
    {
        public void Run(int worker, int workerCount)
        {
            Assert.Equal(times.Length, workerCount);
            Interlocked.Increment(ref times[worker]);
        }
    }

    private readonly struct FailingJob(int thrower) : IParallelJob
    {
        public void Run(int worker, int workerCount)
        {
            if (worker == thrower)
            {
                throw new InvalidOperationException($"share {worker}");
            }
        }
    }

    private struct SummingJob : IParallelJob
    {
        public int Sum;

        public void Run(int worker, int workerCount) => Interlocked.Add(ref Sum, worker);
    }
}
