using System.Globalization;
using LoraServe.Compute.Kernels;
using LoraServe.Compute.Machine;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Workers;

namespace LoraServe.Benchmarks.Kernels;

/// <summary>Times the products of a training step on a 135 M model and prints them as ratios to the machine's multiply-adds.</summary>
internal static unsafe class GradientReport
{
    private const int Hidden = 576;
    private const int Inner = 1536;
    private const int HeadSize = 64;

    /// <summary>Best of several runs for each number of rows (300 and 1024 where none is given).</summary>
    public static void Print(TextWriter output, string[] rows)
    {
        using var pool = new WorkerPool(ProcessorTopology.PhysicalCores);
        double peak = MachineLimits.Measure(pool).FloatOperationsPerSecond;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{pool.WorkerCount} workers: multiply-adds {peak / 1e9:F0} GFLOP/s"));
        using PackedMatrix up = Pack(Inner, Hidden);
        using PackedMatrix down = Pack(Hidden, Inner);
        foreach (int count in rows.Length == 0 ? [300, 1024] : rows.Select(text => int.Parse(text, CultureInfo.InvariantCulture)))
        {
            using var arena = new ScratchArena();
            Rows wide = Fill(arena.Rent(count, Inner));
            Rows thin = Fill(arena.Rent(count, Hidden));
            Rows low = Fill(arena.Rent(count, 8));
            Rows dWeight = arena.Rent(Inner, Hidden);
            Rows dLow = arena.Rent(8, Hidden);
            double whole = 2.0 * count * Inner * Hidden;
            Report($"dX [{count}, {Hidden}] through 4 bits", whole, () => Gemm.Run(pool, GemmOperand.Of(wide), GemmOperand.Of(up), thin));
            Report($"dX [{count}, {Inner}] through 4 bits", whole, () => Gemm.Run(pool, GemmOperand.Of(thin), GemmOperand.Of(down), wide));
            Report($"dW [{Inner}, {Hidden}] of {count} rows", whole, () => Gemm.Run(pool, GemmOperand.Transposed(wide), GemmOperand.Of(thin), dWeight));
            Report($"dA [8, {Hidden}] of {count} rows", 2.0 * count * 8 * Hidden, () => Gemm.Run(pool, GemmOperand.Transposed(low), GemmOperand.Of(thin), dLow));

            // One key/value head of three query heads, on one thread.
            float* scratch = (float*)arena.RentBytes(AttentionBackward.FloatsNeeded(count, 3, HeadSize, 0) * sizeof(float));
            Rows q = thin.Columns(0, 3 * HeadSize);
            Rows k = thin.Columns(3 * HeadSize, HeadSize);
            Rows v = thin.Columns(4 * HeadSize, HeadSize);
            Rows dQ = wide.Columns(0, 3 * HeadSize);
            Rows dK = wide.Columns(3 * HeadSize, HeadSize);
            Rows dV = wide.Columns(4 * HeadSize, HeadSize);
            Report($"attention of {count} positions, one thread", 5.0 * count * (count + 1) * HeadSize * 3, () => AttentionBackward.Run(q, k, v, q, dQ, dK, dV, 0.1f, 0, scratch), pool.WorkerCount);
        }

        void Report(string what, double operations, Action run, int ofWorkers = 1)
        {
            double seconds = MatMulReport.Best(run);
            double rate = operations / seconds;
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"  {what,-44} {seconds * 1e6,9:F1} µs  {rate / 1e9,6:F1} GFLOP/s ({rate * ofWorkers / peak:P0})"));
        }
    }

    private static PackedMatrix Pack(int outputs, int inputs)
    {
        float[] values = new float[outputs * inputs];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = MathF.Sin(i * 0.37f) * 0.05f;
        }

        return PackedMatrix.Pack(Nf4Matrix.Quantize(values, outputs, inputs));
    }

    private static Rows Fill(Rows rows)
    {
        for (int row = 0; row < rows.Count; row++)
        {
            for (int i = 0; i < rows.Width; i++)
            {
                rows.Span(row)[i] = MathF.Sin(row + (i * 0.37f));
            }
        }

        return rows;
    }
}
