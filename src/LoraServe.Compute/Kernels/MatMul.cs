using LoraServe.Compute.Matrices;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Workers;

namespace LoraServe.Compute.Kernels;

/// <summary>Products of activation rows with packed matrices: y[t, :] = W · x[t].</summary>
/// <remarks>The order of every sum depends on the matrix alone, so a row's result is the same bits whatever rows are computed with it and by however many workers.</remarks>
public static unsafe class MatMul
{
    /// <summary>y[p][t, :] = parts[p] · x[t] for all parts in one fork-join, each finished range of columns followed by <paramref name="epilogue"/>.</summary>
    public static void Run<TEpilogue>(WorkerPool pool, in MatMulInput x, ReadOnlySpan<PackedMatrix> parts, ReadOnlySpan<Rows> outputs, ref TEpilogue epilogue)
        where TEpilogue : struct, IMatMulEpilogue
    {
        ArgumentNullException.ThrowIfNull(pool);
        var job = new Job<TEpilogue>(x.Values, parts, outputs, ref epilogue);
        pool.Run(ref job);
    }

    /// <summary>y[t, :] = m · x[t] on the calling thread.</summary>
    public static void RunSerial(PackedMatrix m, Rows x, Rows y)
    {
        ArgumentNullException.ThrowIfNull(m);
        for (int t = 0; t < x.Count; t++)
        {
            for (int column = 0; column < m.Outputs; column++)
            {
                y[t][column] = Dot(m.Row(column), x.Span(t));
            }
        }
    }

    /// <summary>y[t, range] += scale · (m · x[t])[range] on the calling thread.</summary>
    public static void AddSerial(PackedMatrix m, Rows x, float scale, Rows y, int firstColumn, int columnCount)
    {
        ArgumentNullException.ThrowIfNull(m);
        for (int t = 0; t < x.Count; t++)
        {
            for (int column = firstColumn; column < firstColumn + columnCount; column++)
            {
                y[t][column] += scale * Dot(m.Row(column), x.Span(t));
            }
        }
    }

    private static float Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        System.Numerics.Vector<float> sum = default;
        int k = 0;
        for (; k + System.Numerics.Vector<float>.Count <= a.Length; k += System.Numerics.Vector<float>.Count)
        {
            sum += new System.Numerics.Vector<float>(a[k..]) * new System.Numerics.Vector<float>(b[k..]);
        }

        float total = System.Numerics.Vector.Sum(sum);
        for (; k < a.Length; k++)
        {
            total += a[k] * b[k];
        }

        return total;
    }

    private readonly ref struct Job<TEpilogue>(Rows x, ReadOnlySpan<PackedMatrix> parts, ReadOnlySpan<Rows> outputs, ref TEpilogue epilogue) : IParallelJob
        where TEpilogue : struct, IMatMulEpilogue
    {
        private readonly ReadOnlySpan<PackedMatrix> _parts = parts;
        private readonly ReadOnlySpan<Rows> _outputs = outputs;
        private readonly ref TEpilogue _epilogue = ref epilogue;

        public void Run(int worker, int workerCount)
        {
            for (int part = 0; part < _parts.Length; part++)
            {
                PackedMatrix m = _parts[part];
                Rows y = _outputs[part];
                int first = (int)((long)m.Outputs * worker / workerCount);
                int end = (int)((long)m.Outputs * (worker + 1) / workerCount);
                for (int t = 0; t < x.Count; t++)
                {
                    for (int column = first; column < end; column++)
                    {
                        y[t][column] = Dot(m.Row(column), x.Span(t));
                    }
                }

                _epilogue.Apply(part, first, end - first);
            }
        }
    }
}
