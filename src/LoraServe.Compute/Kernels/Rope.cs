using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Vectors;

namespace LoraServe.Compute.Kernels;

/// <summary>Rotary position embedding in the half-split layout: of a head's first K elements i is paired with i + K/2; those after them stay.</summary>
/// <remarks>
/// A row's table holds K/2 cosines and then K/2 sines, computed as Hugging Face transformers does: the angle
/// position · frequency is rounded to float32, then its cosine and sine, then their product with the attention factor.
/// </remarks>
public static unsafe class Rope
{
    /// <summary>Fills one row's table.</summary>
    /// <param name="position">The token's position.</param>
    /// <param name="frequencies">K/2 inverse frequencies.</param>
    /// <param name="factor">What cosines and sines are multiplied by.</param>
    /// <param name="table">K floats.</param>
    public static void Fill(int position, ReadOnlySpan<float> frequencies, float factor, Span<float> table)
    {
        int half = frequencies.Length;
        for (int i = 0; i < half; i++)
        {
            (float sine, float cosine) = MathF.SinCos(position * frequencies[i]);
            table[i] = cosine * factor;
            table[half + i] = sine * factor;
        }
    }

    /// <summary>Rotates every head of every row in place.</summary>
    /// <param name="x">[T, heads · head size].</param>
    /// <param name="headSize">Elements of a head, at least K.</param>
    /// <param name="tables">[T, K], one table for each row.</param>
    public static void Run(Rows x, int headSize, Rows tables) => Turn(x, headSize, tables, 1);

    /// <summary>Turns the gradient of rotated heads into that of the heads before, in place: the transpose of <see cref="Run"/>.</summary>
    /// <param name="gradient">[T, heads · head size].</param>
    /// <param name="headSize">Elements of a head.</param>
    /// <param name="tables">[T, K], those of the forward rotation.</param>
    public static void Backward(Rows gradient, int headSize, Rows tables) => Turn(gradient, headSize, tables, -1);

    // A direction of ±1 changes signs only, not roundings.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Turn(Rows x, int headSize, Rows tables, float direction)
    {
        int half = tables.Width / 2;
        Vector256<float> directions = Vector256.Create(direction);
        for (int t = 0; t < x.Count; t++)
        {
            float* cosines = tables[t];
            float* sines = cosines + half;
            for (float* low = x[t]; low < x[t] + x.Width; low += headSize)
            {
                float* high = low + half;
                int i = 0;
                for (; i <= half - VectorMath.Lanes; i += VectorMath.Lanes)
                {
                    Vector256<float> a = Vector256.Load(low + i);
                    Vector256<float> b = Vector256.Load(high + i);
                    Vector256<float> c = Vector256.Load(cosines + i);
                    Vector256<float> s = Vector256.Load(sines + i) * directions;
                    Vector256.Store((a * c) - (b * s), low + i);
                    Vector256.Store((b * c) + (a * s), high + i);
                }

                for (; i < half; i++)
                {
                    (float a, float b) = (low[i], high[i]);
                    float s = sines[i] * direction;
                    low[i] = (a * cosines[i]) - (b * s);
                    high[i] = (b * cosines[i]) + (a * s);
                }
            }
        }
    }
}
