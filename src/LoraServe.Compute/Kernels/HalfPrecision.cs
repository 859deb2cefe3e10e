using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using LoraServe.Compute.Vectors;

namespace LoraServe.Compute.Kernels;

/// <summary>Converts between float32 and IEEE half precision eight at a time, in integer arithmetic: .NET has no F16C.</summary>
public static unsafe class HalfPrecision
{
    // 2⁻¹¹² moves the exponent from single precision's bias (127) to half precision's (15).
    private const uint InverseBiasRatio = 0x0780_0000;
    private const uint LargestScaled = 0x477F_E000 - 0x3800_0000;

    /// <summary>Widens finite half-precision numbers exactly.</summary>
    /// <param name="source">Half-precision numbers.</param>
    /// <param name="destination">As many float32 numbers.</param>
    /// <param name="count">How many; a multiple of 16.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Widen(ushort* source, float* destination, int count)
    {
        for (int i = 0; i < count; i += 2 * VectorMath.Lanes)
        {
            Vector256.Store(Simd256.LoadHalves(source + i), destination + i);
            Vector256.Store(Simd256.LoadHalves(source + i + VectorMath.Lanes), destination + i + VectorMath.Lanes);
        }
    }

    /// <summary>Rounds to the nearest half-precision number, ties to even; what is larger than 65,504, and NaN, becomes 65,504 with its sign.</summary>
    /// <param name="source">Float32 numbers.</param>
    /// <param name="destination">As many half-precision numbers.</param>
    /// <param name="count">How many; a multiple of 8.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Narrow(float* source, ushort* destination, int count)
    {
        for (int i = 0; i < count; i += VectorMath.Lanes)
        {
            Vector128.Store(Narrow(Vector256.Load(source + i)), destination + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ushort> Narrow(Vector256<float> single)
    {
        Vector256<uint> bits = single.AsUInt32();
        Vector256<uint> sign = (bits & Vector256.Create(0x8000_0000u)) >> 16;
        Vector256<float> magnitude = (bits & Vector256.Create(0x7FFF_FFFFu)).AsSingle() * Vector256.Create(InverseBiasRatio).AsSingle();
        Vector256<uint> scaled = Vector256.Min(magnitude.AsUInt32(), Vector256.Create(LargestScaled));
        Vector256<uint> odd = (scaled >> 13) & Vector256<uint>.One;
        Vector256<uint> rounded = ((scaled + Vector256.Create(0x0FFFu) + odd) >> 13) | sign;
        return Vector128.Narrow(rounded.GetLower(), rounded.GetUpper());
    }
}
