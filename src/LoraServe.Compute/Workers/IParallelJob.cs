namespace LoraServe.Compute.Workers;

/// <summary>Work that every worker of a <see cref="WorkerPool"/> does its share of.</summary>
public interface IParallelJob
{
    /// <summary>Does the share of worker <paramref name="worker"/> out of <paramref name="workerCount"/>; several run at once on the same job.</summary>
    void Run(int worker, int workerCount);
}
