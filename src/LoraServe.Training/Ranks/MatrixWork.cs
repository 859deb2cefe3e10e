using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using LoraServe.Adapters;

namespace LoraServe.Training.Ranks;

/// <summary>Runs work on many matrices, each on one thread.</summary>
internal static class MatrixWork
{
    public static void Run(IReadOnlyList<BaseModule> modules, int workers, Action<BaseModule> work, CancellationToken cancellationToken)
    {
        try
        {
            // The largest first, so that none is left to one thread alone at the end.
            Parallel.ForEach(
                Partitioner.Create(modules.OrderByDescending(module => (long)module.Outputs * module.Inputs).ToArray(), EnumerablePartitionerOptions.NoBuffering),
                new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, workers), CancellationToken = cancellationToken },
                work);
        }
        catch (AggregateException failed)
        {
            ExceptionDispatchInfo.Throw(failed.InnerExceptions[0]);
        }
    }
}
