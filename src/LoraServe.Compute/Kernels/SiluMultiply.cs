using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Vectors;

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

    /// <summary>Writes the gradients of <see cref="Run"/> with respect to both inputs.</summary>
    /// <remarks>With s = 1 / (1 + e⁻ᵍ): dUp = dy·g·s and dGate = dy·up·s·(1 + g·(1 − s)).</remarks>
    /// <param name="gate">[T, F].</param>
    /// <param name="up">[T, F].</param>
    /// <param name="dy">Gradient of the product, [T, F].</param>
    /// <param name="dGate">[T, F], written; may be the memory of any input.</param>
    /// <param name="dUp">[T, F], written; may be the memory of any input.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Backward(Rows gate, Rows up, Rows dy, Rows dGate, Rows dUp)
    {
        float* rest = stackalloc float[3 * VectorMath.Lanes];
        int whole = gate.Width & -VectorMath.Lanes;
        int left = gate.Width - whole;
        for (int t = 0; t < gate.Count; t++)
        {
            for (int i = 0; i < whole; i += VectorMath.Lanes)
            {
                ApplyBackward(gate[t] + i, up[t] + i, dy[t] + i, dGate[t] + i, dUp[t] + i);
            }

            if (left > 0)
            {
                new Span<float>(gate[t] + whole, left).CopyTo(new Span<float>(rest, left));
                new Span<float>(up[t] + whole, left).CopyTo(new Span<float>(rest + VectorMath.Lanes, left));
                new Span<float>(dy[t] + whole, left).CopyTo(new Span<float>(rest + (2 * VectorMath.Lanes), left));
                ApplyBackward(rest, rest + VectorMath.Lanes, rest + (2 * VectorMath.Lanes), rest, rest + VectorMath.Lanes);
                new Span<float>(rest, left).CopyTo(new Span<float>(dGate[t] + whole, left));
                new Span<float>(rest + VectorMath.Lanes, left).CopyTo(new Span<float>(dUp[t] + whole, left));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ApplyBackward(float* gate, float* up, float* dy, float* dGate, float* dUp)
    {
        Vector256<float> g = Vector256.Load(gate);
        Vector256<float> gradient = Vector256.Load(dy);
        Vector256<float> s = Vector256<float>.One / (Vector256<float>.One + VectorMath.Exp(-g));
        Vector256<float> slope = s * VectorMath.MultiplyAdd(g, Vector256<float>.One - s, Vector256<float>.One);
        Vector256<float> toGate = gradient * Vector256.Load(up) * slope;
        Vector256.Store(gradient * (g * s), dUp);
        Vector256.Store(toGate, dGate);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Apply(Vector256<float> gate, Vector256<float> up) =>
        gate / (Vector256<float>.One + VectorMath.Exp(-gate)) * up;
}
