using LoraServe.Compute.Kernels.Panels;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Workers;

namespace LoraServe.Compute.Kernels;

/// <summary>General products of float32 matrices, c (+)= scale · a · b: the gradients of linear maps.</summary>
/// <remarks>
/// With y = x·Wᵀ: dX = dY·W is (Of(dY), Of(W)), and dW = dYᵀ·X is (Transposed(dY), Of(X)). The order of every sum depends on the
/// inner length alone, so an element is the same bits whatever rows and columns are computed with it and by however many workers.
/// </remarks>
public static class Gemm
{
    // Below this many multiply-adds a fork-join costs more than it saves.
    private const long WorthSharing = 200_000;

    /// <summary>Computes with all workers of <paramref name="pool"/>; small products on the calling thread alone.</summary>
    /// <param name="pool">The workers.</param>
    /// <param name="a">[m, k].</param>
    /// <param name="b">[k, n].</param>
    /// <param name="c">[m, n]; shares no memory with the factors.</param>
    /// <param name="scale">What the product is multiplied by.</param>
    /// <param name="adds">Whether the product is added to what c holds rather than written.</param>
    /// <exception cref="ArgumentException">Shapes do not fit.</exception>
    public static unsafe void Run(WorkerPool pool, GemmOperand a, GemmOperand b, Rows c, float scale = 1, bool adds = false)
    {
        ArgumentNullException.ThrowIfNull(pool);
        CheckShapes(a, b, c);
        if (pool.WorkerCount == 1 || (long)c.Count * c.Width * a.Columns < WorthSharing)
        {
            RunSerial(a, b, c, scale, adds);
            return;
        }

        long claimed = 0;
        var job = new GemmJob(KernelsOf(a, b), a, b, c, scale, adds, pool.WorkerCount, &claimed);
        pool.Run(ref job);
        KeepAlive(a, b);
    }

    /// <summary>Computes on the calling thread.</summary>
    /// <inheritdoc cref="Run" path="/param"/>
    /// <exception cref="ArgumentException">Shapes do not fit.</exception>
    public static void RunSerial(GemmOperand a, GemmOperand b, Rows c, float scale = 1, bool adds = false) =>
        RunSerial(KernelsOf(a, b), a, b, c, scale, adds);

    internal static void RunSerial(PanelKernels kernels, in GemmOperand a, in GemmOperand b, Rows c, float scale = 1, bool adds = false)
    {
        CheckShapes(a, b, c);
        kernels.MultiplyAdd(a, b, c, scale, adds, new GemmPiece(0, c.Count, 0, c.Width));
        KeepAlive(a, b);
    }

    private static PanelKernels KernelsOf(in GemmOperand a, in GemmOperand b) => (a.Matrix ?? b.Matrix) is { } matrix ? PanelKernels.Of(matrix) : PanelKernels.Default;

    private static void CheckShapes(in GemmOperand a, in GemmOperand b, Rows c)
    {
        if (a.Columns != b.Rows || c.Count != a.Rows || c.Width != b.Columns)
        {
            throw new ArgumentException($"[{a.Rows}, {a.Columns}] · [{b.Rows}, {b.Columns}] does not make [{c.Count}, {c.Width}]", nameof(c));
        }
    }

    // The kernels see panels by address only.
    private static void KeepAlive(in GemmOperand a, in GemmOperand b)
    {
        GC.KeepAlive(a.Matrix);
        GC.KeepAlive(b.Matrix);
    }
}
