namespace LoraServe.Compute.Workers;

/// <summary>Work that is done in as many shares as a <see cref="WorkerPool"/> has workers.</summary>
public interface IParallelJob
{
    /// <summary>Does share <paramref name="worker"/> of <paramref name="workerCount"/>. Shares run at once on the same job; each runs once, on any thread.</summary>
    void Run(int worker, int workerCount);
}
