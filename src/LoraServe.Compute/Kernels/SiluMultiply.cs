using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using LoraServe.Compute.Memory;

namespace LoraServe.Compute.Kernels;

/// <summary>The gate of a gated MLP.</summary>
public static unsafe class SiluMultiply
{
    /// <summary>y = silu(gate) · up with silu(g) = g / (1 + e⁻ᵍ), elementwise.</summary>
    /// <param name="gate">[T, F].</param>
    /// <param name="up">[T, F].</param>
    /// <param name="y">[T, F]; may be the memory of either input.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(Rows gate, Rows up, Rows y)
    {
        float* rest = stackalloc float[3 * VectorMath.Lanes];
        int whole = gate.Width & -VectorMath.Lanes;
        int left = gate.Width - whole;
        for (int t = 0; t < gate.Count; t++)
        {
            for (int i = 0; i < whole; i += VectorMath.Lanes)
            {
                Vector256.Store(Apply(Vector256.Load(gate[t] + i), Vector256.Load(up[t] + i)), y[t] + i);
            }

            if (left > 0)
            {
                // The last columns go through the same vector code, so that a column's result does not depend on its place.
                new Span<float>(gate[t] + whole, left).CopyTo(new Span<float>(rest, left));
                new Span<float>(up[t] + whole, left).CopyTo(new Span<float>(rest + VectorMath.Lanes, left));
                float* result = rest + (2 * VectorMath.Lanes);
                Vector256.Store(Apply(Vector256.Load(rest), Vector256.Load(rest + VectorMath.Lanes)), result);
                new Span<float>(result, left).CopyTo(new Span<float>(y[t] + whole, left));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Apply(Vector256<float> gate, Vector256<float> up) =>
        gate / (Vector256<float>.One + VectorMath.Exp(-gate)) * up;
}
