using LoraServe.Adapters.Gradients;
using LoraServe.Compute.Workers;

namespace LoraServe.Training.Optimizers;

/// <summary>Work on each of some parameters by itself.</summary>
internal interface IParameterKernel
{
    /// <summary>Does a parameter, given its place in the list; called from several workers at a time with different ones.</summary>
    void Run(int index);
}

/// <summary>Runs a kernel on every parameter: on the caller, or over the workers where there is enough to do.</summary>
internal static class ParameterLoop
{
    // A fork and join takes 1 to 2 µs.
    private const long ValuesWorthSharing = 1 << 16;

    /// <summary>Does each parameter once, in any order.</summary>
    /// <param name="parameters">The parameters.</param>
    /// <param name="pool">The workers; null for the calling thread alone.</param>
    /// <param name="kernel">The kernel.</param>
    public static void Run<TKernel>(IReadOnlyList<Parameter> parameters, WorkerPool? pool, TKernel kernel)
        where TKernel : struct, IParameterKernel
    {
        long values = 0;
        for (int i = 0; i < parameters.Count; i++)
        {
            values += parameters[i].Values.LongLength;
        }

        int next = 0;
        var job = new Job<TKernel>(kernel, parameters.Count, ref next);
        if (pool is null || values < ValuesWorthSharing)
        {
            job.Run(0, 1);
        }
        else
        {
            pool.Run(ref job);
        }
    }

    private readonly ref struct Job<TKernel>(TKernel kernel, int count, ref int next) : IParallelJob
        where TKernel : struct, IParameterKernel
    {
        private readonly ref int _next = ref next;

        public void Run(int worker, int workerCount)
        {
            for (int i = Interlocked.Increment(ref _next) - 1; i < count; i = Interlocked.Increment(ref _next) - 1)
            {
                kernel.Run(i);
            }
        }
    }
}
