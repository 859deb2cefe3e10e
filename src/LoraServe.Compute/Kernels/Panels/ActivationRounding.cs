using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using LoraServe.Compute.Memory;

namespace LoraServe.Compute.Kernels.Panels;

/// <summary>Rounds activations to integers per block of 32, to nearest even.</summary>
internal static unsafe class ActivationRounding
{
    /// <summary>Largest code beside weights of up to 6 bits: 8 · 2 · 15 · 127 and 2 · 63 · 127 fit 16 bits.</summary>
    public const int LimitBesideNibbles = 127;

    /// <summary>Largest code beside weights of 8 bits: 2 · 255 · 63 fits 16 bits.</summary>
    public const int LimitBesideBytes = 63;

    /// <summary>Rounds rows whose width is a multiple of 32 into <paramref name="blocks"/>, row after row.</summary>
    /// <remarks>A block with an infinity or NaN gets a scale that makes its products NaN.</remarks>
    public static void Round(Rows rows, int limit, ActivationBlock* blocks)
    {
        for (int row = 0; row < rows.Count; row++)
        {
            float* x = rows[row];
            for (float* end = x + rows.Width; x < end; x += 32)
            {
                RoundBlock(x, limit, blocks++);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void RoundBlock(float* x, int limit, ActivationBlock* block)
    {
        Vector256<float> x0 = Vector256.Load(x);
        Vector256<float> x1 = Vector256.Load(x + 8);
        Vector256<float> x2 = Vector256.Load(x + 16);
        Vector256<float> x3 = Vector256.Load(x + 24);
        Vector256<float> largest = Vector256.Max(
            Vector256.Max(Vector256.Abs(x0), Vector256.Abs(x1)),
            Vector256.Max(Vector256.Abs(x2), Vector256.Abs(x3)));
        Vector128<float> half = Vector128.Max(largest.GetLower(), largest.GetUpper());
        half = Vector128.Max(half, Vector128.Shuffle(half, Vector128.Create(2, 3, 0, 1)));
        float maximum = Vector128.Max(half, Vector128.Shuffle(half, Vector128.Create(1, 0, 3, 2))).ToScalar();

        // A maximum too small for its reciprocal counts as zero; an infinite or NaN one becomes a NaN scale.
        float inverse = limit / maximum;
        bool isZero = float.IsPositiveInfinity(inverse);
        Vector256<float> factor = Vector256.Create(isZero ? 0 : inverse);
        Vector256<int> q0 = Nearest(x0 * factor);
        Vector256<int> q1 = Nearest(x1 * factor);
        Vector256<int> q2 = Nearest(x2 * factor);
        Vector256<int> q3 = Nearest(x3 * factor);
        int lower = Vector256.Sum(q0 + q1);
        int sum = lower + Vector256.Sum(q2 + q3);
        Vector256.Narrow(Vector256.Narrow(q0, q1), Vector256.Narrow(q2, q3)).Store(block->Codes);
        float scale = isZero ? 0 : float.IsFinite(maximum) ? maximum / limit : float.NaN;
        block->Scale = scale;
        block->Offset = -sum;
        block->LowerOffset = -lower;
        block->Sum = scale * sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Nearest(Vector256<float> x) => Vector256.ConvertToInt32(Vector256.Round(x));
}
