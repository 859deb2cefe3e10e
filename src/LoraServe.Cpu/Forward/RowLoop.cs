using LoraServe.Compute.Workers;

namespace LoraServe.Cpu.Forward;

/// <summary>Work on rows that do not depend on each other.</summary>
internal interface IRowKernel
{
    /// <summary>Does the rows from <paramref name="first"/> to before <paramref name="end"/>; called from several workers at a time with different rows.</summary>
    void Run(int first, int end);
}

/// <summary>Runs a row kernel on the caller, or split over the workers where there is enough to do.</summary>
internal static class RowLoop
{
    // A fork and join takes 1 to 2 µs, in which one core does some 20,000 multiply-adds.
    public const long WorthSharing = 40_000;

    /// <summary>Runs a kernel over all rows.</summary>
    /// <param name="pool">The workers.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="operations">Multiply-adds, or what takes as long, over all rows.</param>
    /// <param name="kernel">The kernel.</param>
    public static void Run<TKernel>(WorkerPool pool, int rows, long operations, TKernel kernel)
        where TKernel : struct, IRowKernel
    {
        if (operations < WorthSharing || pool.WorkerCount == 1)
        {
            kernel.Run(0, rows);
            return;
        }

        var job = new Job<TKernel>(kernel, rows);
        pool.Run(ref job);
    }

    private readonly struct Job<TKernel>(TKernel kernel, int rows) : IParallelJob
        where TKernel : struct, IRowKernel
    {
        private readonly TKernel _kernel = kernel;

        public void Run(int worker, int workerCount) =>
            _kernel.Run((int)((long)rows * worker / workerCount), (int)((long)rows * (worker + 1) / workerCount));
    }
}
