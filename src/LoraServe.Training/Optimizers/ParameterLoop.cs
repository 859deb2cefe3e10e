using LoraServe.Compute.Workers;

namespace LoraServe.Training.Optimizers;

/// <summary>Work on each of the parameters by itself: over the workers where there is enough to do.</summary>
internal static class ParameterLoop
{
    // A fork and join takes 1 to 2 µs.
    private const long ValuesWorthSharing = 1 << 16;

    /// <summary>Does each parameter once, in any order.</summary>
    /// <param name="parameters">The parameters.</param>
    /// <param name="pool">The workers; null for the calling thread alone.</param>
    /// <param name="each">Given a parameter's place in the list.</param>
    public static void Run(IReadOnlyList<Parameter> parameters, WorkerPool? pool, Action<int> each)
    {
        if (pool is null || parameters.Sum(parameter => parameter.Values.LongLength) < ValuesWorthSharing)
        {
            for (int i = 0; i < parameters.Count; i++)
            {
                each(i);
            }

            return;
        }

        int next = 0;
        var job = new Job(each, parameters.Count, ref next);
        pool.Run(ref job);
    }

    private readonly ref struct Job(Action<int> each, int count, ref int next) : IParallelJob
    {
        private readonly ref int _next = ref next;

        public void Run(int worker, int workerCount)
        {
            for (int i = Interlocked.Increment(ref _next) - 1; i < count; i = Interlocked.Increment(ref _next) - 1)
            {
                each(i);
            }
        }
    }
}
