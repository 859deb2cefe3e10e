using System.Diagnostics;
using System.Globalization;
using LoraServe.Compute.Machine;
using LoraServe.Compute.Tensors;
using LoraServe.Compute.Workers;

namespace LoraServe.Benchmarks.Kernels;

/// <summary>Times matrix products of every weight type and prints them as ratios to the machine's limits.</summary>
internal static class MatMulReport
{
    private static readonly ElementType[] s_types = [.. ElementTypes.Weights];

    /// <summary>Best of several runs, for one worker and for one on each core.</summary>
    public static void Print(TextWriter output, string[] types)
    {
        foreach (int workers in new[] { 1, ProcessorTopology.PhysicalCores }.Distinct())
        {
            using var pool = new WorkerPool(workers);
            MachineLimits limits = MachineLimits.Measure(pool);
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{workers} workers: reads {limits.ReadBytesPerSecond / 1e9:F1} GB/s, multiply-adds {limits.FloatOperationsPerSecond / 1e9:F0} GFLOP/s"));
            foreach (ElementType type in s_types.Where(type => types.Length == 0 || types.Contains(type.ToString())))
            {
                // 147 M weights are more than any cache holds; 0.9 M fit the last level.
                foreach ((int outputs, int rows) in (ReadOnlySpan<(int, int)>)[(4 * 49152, 1), (1536, 1), (1536, 2), (1536, 8), (1536, 32), (1536, 480)])
                {
                    int inputs = 576 / type.BlockElements() * type.BlockElements();
                    using var product = new MatMulProduct(type, outputs, inputs, rows);
                    double seconds = Best(() => product.Run(pool));
                    double bytes = product.Matrix.ByteLength / seconds;
                    double operations = product.Operations / seconds;
                    output.WriteLine(string.Create(
                        CultureInfo.InvariantCulture,
                        $"  {type,-6} [{outputs}, {inputs}] × {rows,3} rows: {seconds * 1e6,8:F1} µs  {bytes / 1e9,6:F1} GB/s ({bytes / limits.ReadBytesPerSecond:P0})  {operations / 1e9,6:F1} GOP/s ({operations / limits.FloatOperationsPerSecond:P0})"));
                }
            }
        }
    }

    /// <summary>Seconds of the fastest of the runs that fit into a quarter of a second, five at least.</summary>
    public static double Best(Action run)
    {
        double best = double.MaxValue;
        long deadline = Stopwatch.GetTimestamp() + (Stopwatch.Frequency / 4);
        for (int i = 0; i < 5 || Stopwatch.GetTimestamp() < deadline; i++)
        {
            long start = Stopwatch.GetTimestamp();
            run();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return best;
    }
}
