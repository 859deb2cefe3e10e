using LoraServe.Adapters.Edits;
using LoraServe.Compute.Kernels;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Memory;

namespace LoraServe.Adapters.LinearAlgebra;

/// <summary>Products of whole matrices on the calling thread.</summary>
internal static unsafe class DenseProduct
{
    /// <summary>a·b, [m, n].</summary>
    /// <param name="a">[m, k].</param>
    /// <param name="b">[k, n].</param>
    public static FloatMatrix Of(FloatMatrix a, FloatMatrix b)
    {
        var product = new FloatMatrix(a.Rows, b.Columns);
        Run(a, b, product);
        return product;
    }

    /// <summary>target (+)= scale · a·b.</summary>
    /// <param name="a">[m, k].</param>
    /// <param name="b">[k, n].</param>
    /// <param name="target">[m, n].</param>
    /// <param name="scale">Factor of the product.</param>
    /// <param name="adds">Whether it is added to what the target holds.</param>
    public static void Run(FloatMatrix a, FloatMatrix b, FloatMatrix target, float scale = 1, bool adds = false)
    {
        fixed (float* left = a.Values, right = b.Values, to = target.Values)
        {
            Gemm.RunSerial(GemmOperand.Of(Rows(left, a)), GemmOperand.Of(Rows(right, b)), Rows(to, target), scale, adds);
        }
    }

    /// <summary>target (+)= scale · aᵀ·b.</summary>
    /// <param name="a">[k, m].</param>
    /// <param name="b">[k, n].</param>
    /// <param name="target">[m, n].</param>
    /// <param name="scale">Factor of the product.</param>
    /// <param name="adds">Whether it is added to what the target holds.</param>
    public static void RunTransposed(FloatMatrix a, FloatMatrix b, FloatMatrix target, float scale = 1, bool adds = false)
    {
        fixed (float* left = a.Values, right = b.Values, to = target.Values)
        {
            Gemm.RunSerial(GemmOperand.Transposed(Rows(left, a)), GemmOperand.Of(Rows(right, b)), Rows(to, target), scale, adds);
        }
    }

    private static Rows Rows(float* values, FloatMatrix matrix) => new((nint)values, matrix.Rows, matrix.Columns, matrix.Columns);
}
