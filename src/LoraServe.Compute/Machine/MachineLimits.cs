using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Workers;

namespace LoraServe.Compute.Machine;

/// <summary>What the machine can do at best, measured: the physical limits that speeds are reported as ratios of.</summary>
/// <param name="ReadBytesPerSecond">Sequential reads of memory that no cache holds, by all workers together.</param>
/// <param name="FloatOperationsPerSecond">Float32 multiply-adds in registers, two operations each, by all workers together.</param>
public readonly record struct MachineLimits(double ReadBytesPerSecond, double FloatOperationsPerSecond)
{
    private const int LeastRepetitions = 8;

    // Long enough for the system to give each worker a processor of its own: the arithmetic alone is over in milliseconds.
    private static readonly TimeSpan s_leastTime = TimeSpan.FromSeconds(0.5);

    /// <summary>Measures for about a second with the workers of <paramref name="pool"/>; the best of several tries, since other processes only ever slow it down.</summary>
    /// <param name="pool">The workers.</param>
    /// <param name="readBytes">Memory to read: several times the last-level cache.</param>
    public static MachineLimits Measure(WorkerPool pool, long readBytes = 256L << 20)
    {
        ArgumentNullException.ThrowIfNull(pool);
        using var buffer = new NativeBuffer(readBytes);
        var read = new ReadJob(buffer);
        var compute = default(ComputeJob);
        return new MachineLimits(Best(pool, ref read, readBytes), Best(pool, ref compute, (double)ComputeJob.Operations * pool.WorkerCount));
    }

    private static double Best<TJob>(WorkerPool pool, ref TJob job, double amount)
        where TJob : struct, IParallelJob
    {
        var best = TimeSpan.MaxValue;
        long begun = Stopwatch.GetTimestamp();
        for (int i = 0; i < LeastRepetitions || Stopwatch.GetElapsedTime(begun) < s_leastTime; i++)
        {
            long start = Stopwatch.GetTimestamp();
            pool.Run(ref job);
            TimeSpan elapsed = Stopwatch.GetElapsedTime(start);
            best = elapsed < best ? elapsed : best;
        }

        return amount / best.TotalSeconds;
    }

    private readonly unsafe struct ReadJob(NativeBuffer buffer) : IParallelJob
    {
        public void Run(int worker, int workerCount)
        {
            long share = buffer.ByteLength / workerCount & -256;
            Read(buffer.Pointer + (worker * share), share);
        }

        [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
        private static long Read(byte* start, long byteLength)
        {
            Vector256<long> a = default;
            Vector256<long> b = default;
            Vector256<long> c = default;
            Vector256<long> d = default;
            for (byte* p = start, end = start + byteLength; p < end; p += 128)
            {
                a |= Vector256.Load((long*)p);
                b |= Vector256.Load((long*)(p + 32));
                c |= Vector256.Load((long*)(p + 64));
                d |= Vector256.Load((long*)(p + 96));
            }

            return Vector256.Sum(a | b | c | d);
        }
    }

    private readonly struct ComputeJob : IParallelJob
    {
        public const long Operations = Iterations * 12 * 16 * 2;

        private const long Iterations = 1 << 20;

        public void Run(int worker, int workerCount) => Multiply(Vector512.Create(0.5f));

        // Twelve chains cover the latency of two multiply-adds a cycle; a machine with 256-bit vectors runs each as two.
        [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
        private static float Multiply(Vector512<float> factor)
        {
            Vector512<float> a = factor, b = factor, c = factor, d = factor, e = factor, f = factor;
            for (long i = 0; i < Iterations * 2; i++)
            {
                a = Vector512.MultiplyAddEstimate(a, factor, factor);
                b = Vector512.MultiplyAddEstimate(b, factor, factor);
                c = Vector512.MultiplyAddEstimate(c, factor, factor);
                d = Vector512.MultiplyAddEstimate(d, factor, factor);
                e = Vector512.MultiplyAddEstimate(e, factor, factor);
                f = Vector512.MultiplyAddEstimate(f, factor, factor);
            }

            return Vector512.Sum(a + b + c + d + e + f);
        }
    }
}
