using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace LoraServe.Compute.Vectors;

/// <summary>Elementary functions on eight lanes whose result in a lane depends on that lane's argument alone, on every processor.</summary>
/// <remarks>
/// The loops that use them are compiled with full optimisation at once: the runtime's quick first compilation would keep every
/// vector in memory, and the first prompt would run on it.
/// </remarks>
internal static class VectorMath
{
    /// <summary>Lanes of the vectors that the kernels work in.</summary>
    public const int Lanes = 8;

    /// <summary>a · b + c, rounded once where the processor has fused multiply-add.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MultiplyAdd(Vector256<float> a, Vector256<float> b, Vector256<float> c) =>
        Vector256.MultiplyAddEstimate(a, b, c);

    /// <summary>eˣ to about one unit in the last place. Arguments below −87.3 give 0, those above 88 give e⁸⁸.</summary>
    /// <remarks>x = n·ln 2 + r with |r| ≤ ln 2 / 2; eʳ by its Taylor-like minimax polynomial of degree 6 (Cephes' coefficients).</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Exp(Vector256<float> x)
    {
        // The native forms are one instruction each; with x as the second operand, NaN comes through.
        Vector256<float> clamped = Vector256.MinNative(Vector256.Create(88f), Vector256.MaxNative(Vector256.Create(-87.33654f), x));
        Vector256<float> n = Vector256.Round(clamped * Vector256.Create(1.44269504f));
        Vector256<float> r = MultiplyAdd(n, Vector256.Create(-0.693359375f), clamped);
        r = MultiplyAdd(n, Vector256.Create(2.12194440e-4f), r);

        Vector256<float> p = Vector256.Create(1.9875691500e-4f);
        p = MultiplyAdd(p, r, Vector256.Create(1.3981999507e-3f));
        p = MultiplyAdd(p, r, Vector256.Create(8.3334519073e-3f));
        p = MultiplyAdd(p, r, Vector256.Create(4.1665795894e-2f));
        p = MultiplyAdd(p, r, Vector256.Create(1.6666665459e-1f));
        p = MultiplyAdd(p, r, Vector256.Create(5.0000001201e-1f));
        p = MultiplyAdd(p, r * r, r + Vector256<float>.One);

        Vector256<float> power = ((Vector256.ConvertToInt32Native(n) + Vector256.Create(127)) << 23).AsSingle();
        return Vector256.ConditionalSelect(Vector256.LessThan(x, Vector256.Create(-87.33654f)), Vector256<float>.Zero, p * power);
    }

    /// <summary>tanh x = 1 − 2 / (e²ˣ + 1), to about 10⁻⁷.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Tanh(Vector256<float> x) =>
        Vector256<float>.One - (Vector256.Create(2f) / (Exp(x + x) + Vector256<float>.One));

    /// <summary>The sum of the lanes, always in the same order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector256<float> x)
    {
        Vector128<float> four = x.GetLower() + x.GetUpper();
        Vector128<float> two = four + Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1));
        return (two + Vector128.Shuffle(two, Vector128.Create(1, 0, 3, 2))).ToScalar();
    }

    /// <summary>The largest lane; any number where a lane is NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Max(Vector256<float> x)
    {
        Vector128<float> four = Vector128.MaxNative(x.GetLower(), x.GetUpper());
        Vector128<float> two = Vector128.MaxNative(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
        return Vector128.MaxNative(two, Vector128.Shuffle(two, Vector128.Create(1, 0, 3, 2))).ToScalar();
    }

    /// <summary>(a₀, b₀, a₁, b₁).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> InterleaveLower(Vector128<float> a, Vector128<float> b) => Sse.IsSupported
        ? Sse.UnpackLow(a, b)
        : Alternate(Vector128.Shuffle(a, Vector128.Create(0, 0, 1, 1)), Vector128.Shuffle(b, Vector128.Create(0, 0, 1, 1)));

    /// <summary>(a₂, b₂, a₃, b₃).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> InterleaveUpper(Vector128<float> a, Vector128<float> b) => Sse.IsSupported
        ? Sse.UnpackHigh(a, b)
        : Alternate(Vector128.Shuffle(a, Vector128.Create(2, 2, 3, 3)), Vector128.Shuffle(b, Vector128.Create(2, 2, 3, 3)));

    /// <summary><paramref name="count"/> rounded up to whole vectors.</summary>
    public static int RoundUp(int count) => (count + Lanes - 1) & -Lanes;

    private static Vector128<float> Alternate(Vector128<float> even, Vector128<float> odd) =>
        Vector128.ConditionalSelect(Vector128.Create(-1, 0, -1, 0).AsSingle(), even, odd);
}
