using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace LoraServe.Compute.Vectors;

/// <summary>256-bit vectors: AVX2 (with its dot products where the processor has them), and without intrinsics any other machine's.</summary>
internal readonly unsafe struct Simd256 : ISimd<Vector256<float>, Vector256<int>>
{
    public static int Lanes => 8;

    public static bool HasDot => AvxVnni.IsSupported;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load(float* source) => Vector256.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<float> vector, float* destination) => vector.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Broadcast(float value) => Vector256.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Add(Vector256<float> a, Vector256<float> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Multiply(Vector256<float> a, Vector256<float> b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MultiplyAdd(Vector256<float> a, Vector256<float> b, Vector256<float> c) => Vector256.MultiplyAddEstimate(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadHalves(ushort* source)
    {
        // Exponent and mantissa move to a single's place; the product corrects the exponent's bias and normalises subnormals.
        Vector256<int> bits = (WidenShorts((short*)source) << 13) & Vector256.Create(unchecked((int)0x8FFFE000));
        return bits.AsSingle() * Vector256.Create(5.192296858534828e33f /* 2^112 */);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadBFloats(ushort* source) => (WidenShorts((short*)source) << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> LoadBytes(byte* source) => Vector256.Load((int*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> BroadcastInt(int value) => Vector256.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> RepeatBytes(byte* source) => Vector256.Create(Vector128.Load(source)).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> LoadSignedBytes(sbyte* source)
    {
        if (Avx2.IsSupported)
        {
            return Avx2.ConvertToVector256Int32(source);
        }

        (Vector128<int> lower, Vector128<int> upper) = Vector128.Widen(Vector128.WidenLower(Vector64.Load(source).ToVector128()));
        return Vector256.Create(lower, upper);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> And(Vector256<int> a, Vector256<int> b) => a & b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Or(Vector256<int> a, Vector256<int> b) => a | b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> ShiftLeft(Vector256<int> a, int count) => a << count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> ShiftRight(Vector256<int> a, int count) => a >>> count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> AddInts(Vector256<int> a, Vector256<int> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> AddShorts(Vector256<int> a, Vector256<int> b) => (a.AsInt16() + b.AsInt16()).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> MultiplyBytePairs(Vector256<int> unsigned, Vector256<int> signed)
    {
        if (Avx2.IsSupported)
        {
            return Avx2.MultiplyAddAdjacent(unsigned.AsByte(), signed.AsSByte()).AsInt32();
        }

        Vector256<short> even = (unsigned.AsInt16() & Vector256.Create((short)255)) * ((signed.AsInt16() << 8) >> 8);
        Vector256<short> odd = (unsigned.AsInt16() >>> 8) * (signed.AsInt16() >> 8);
        return (even + odd).AsInt32();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> SumShortPairs(Vector256<int> shorts) => Avx2.IsSupported
        ? Avx2.MultiplyAddAdjacent(shorts.AsInt16(), Vector256<short>.One)
        : ((shorts << 16) >> 16) + (shorts >> 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> DotAdd(Vector256<int> sum, Vector256<int> unsigned, Vector256<int> signed) => AvxVnni.IsSupported
        ? AvxVnni.MultiplyWideningAndAdd(sum, unsigned.AsByte(), signed.AsSByte())
        : sum + SumShortPairs(MultiplyBytePairs(unsigned, signed));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ToFloat(Vector256<int> ints) => Vector256.ConvertToSingle(ints);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LookUp(float* table, Vector256<int> indices)
    {
        Vector256<float> low = Vector256.Load(table);
        Vector256<float> high = Vector256.Load(table + 8);
        if (Avx2.IsSupported)
        {
            // A permutation reads three bits of an index; the fourth, moved to the sign, chooses between its results.
            return Avx.BlendVariable(Avx2.PermuteVar8x32(low, indices), Avx2.PermuteVar8x32(high, indices), (indices << 28).AsSingle());
        }

        // An index outside a half gives zero bits.
        return (Vector256.Shuffle(low, indices).AsInt32() | Vector256.Shuffle(high, indices - Vector256.Create(8)).AsInt32()).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> LookUpBytes(Vector256<int> table, Vector256<int> indices) => Avx2.IsSupported
        ? Avx2.Shuffle(table.AsByte(), indices.AsByte()).AsInt32()
        : Vector256.Shuffle(table.AsByte(), indices.AsByte()).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch(byte* address)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(address);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> WidenShorts(short* source)
    {
        if (Avx2.IsSupported)
        {
            return Avx2.ConvertToVector256Int32(source);
        }

        (Vector128<int> lower, Vector128<int> upper) = Vector128.Widen(Vector128.Load(source));
        return Vector256.Create(lower, upper);
    }
}
