using LoraServe.Compute.Kernels.Panels;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Workers;

namespace LoraServe.Compute.Kernels;

/// <summary>Products of activation rows with packed matrices: y[t, :] = W · x[t].</summary>
/// <remarks>The order of every sum depends on the matrix alone, so a row's result is the same bits whatever rows are computed with it and by however many workers.</remarks>
public static unsafe class MatMul
{
    /// <summary>y[p][t, :] = parts[p] · x[t] for all parts in one fork-join, each finished range of columns followed by <paramref name="epilogue"/>.</summary>
    /// <param name="pool">The workers that share the columns.</param>
    /// <param name="x">Rows prepared for these parts.</param>
    /// <param name="parts">Matrices that read the same rows.</param>
    /// <param name="outputs">For each part, as many rows as x has, at least as wide as the part's outputs.</param>
    /// <param name="epilogue">What to do with finished columns.</param>
    /// <exception cref="ArgumentException">Shapes do not fit.</exception>
    public static void Run<TEpilogue>(WorkerPool pool, in MatMulInput x, ReadOnlySpan<PackedMatrix> parts, ReadOnlySpan<Rows> outputs, ref TEpilogue epilogue)
        where TEpilogue : struct, IMatMulEpilogue
    {
        ArgumentNullException.ThrowIfNull(pool);
        if (parts.Length != outputs.Length)
        {
            throw new ArgumentException($"{parts.Length} parts need as many outputs, not {outputs.Length}", nameof(outputs));
        }

        for (int part = 0; part < parts.Length; part++)
        {
            CheckShapes(parts[part], x.Values, outputs[part]);
        }

        if (x.Values.Count == 0)
        {
            return;
        }

        long* cursors = stackalloc long[pool.WorkerCount * MatMulJob<TEpilogue>.CursorStride];
        var job = new MatMulJob<TEpilogue>(x, parts, outputs, ref epilogue, cursors, pool.WorkerCount);
        pool.Run(ref job);
    }

    /// <summary>y[t, :] = m · x[t] in float32 on the calling thread.</summary>
    /// <exception cref="ArgumentException">Shapes do not fit.</exception>
    public static void RunSerial(PackedMatrix m, Rows x, Rows y)
    {
        ArgumentNullException.ThrowIfNull(m);
        CheckShapes(m, x, y);
        PanelKernels.Of(m).MultiplyFloats(m, x, new TileTarget(y, 0, m.Outputs));
        GC.KeepAlive(m);
    }

    /// <summary>y[t, c] += scale · (m · x[t])[c] for a range of columns, in float32 on the calling thread.</summary>
    /// <exception cref="ArgumentException">Shapes do not fit.</exception>
    public static void AddSerial(PackedMatrix m, Rows x, float scale, Rows y, int firstColumn, int columnCount)
    {
        ArgumentNullException.ThrowIfNull(m);
        CheckShapes(m, x, y);
        if (firstColumn < 0 || columnCount < 0 || columnCount > m.Outputs - firstColumn)
        {
            throw new ArgumentException($"columns {firstColumn} + {columnCount} are not within {m.Outputs} outputs", nameof(columnCount));
        }

        if (columnCount > 0)
        {
            PanelKernels.Of(m).MultiplyFloats(m, x, new TileTarget(y, firstColumn, firstColumn + columnCount, Adds: true, scale));
        }

        GC.KeepAlive(m);
    }

    private static void CheckShapes(PackedMatrix m, Rows x, Rows y)
    {
        if (m.Inputs != x.Width || y.Count != x.Count || y.Width < m.Outputs)
        {
            throw new ArgumentException($"a [{m.Outputs}, {m.Inputs}] matrix cannot make [{y.Count}, {y.Width}] of [{x.Count}, {x.Width}]", nameof(m));
        }
    }
}
