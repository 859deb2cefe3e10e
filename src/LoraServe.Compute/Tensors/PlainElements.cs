using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace LoraServe.Compute.Tensors;

/// <summary>Decoders of the types that store each element by itself.</summary>
internal static class PlainElements
{
    private static readonly float[] s_eighths4 = [.. Enumerable.Range(0, 256).Select(bits => Eighth4((byte)bits))];

    public static void Singles(ReadOnlySpan<byte> source, Span<float> destination) => MemoryMarshal.Cast<byte, float>(source).CopyTo(destination);

    public static void Halves(ReadOnlySpan<byte> source, Span<float> destination) =>
        TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(source), destination);

    public static void BFloats(ReadOnlySpan<byte> source, Span<float> destination)
    {
        ReadOnlySpan<ushort> upper = MemoryMarshal.Cast<byte, ushort>(source);
        Span<uint> bits = MemoryMarshal.Cast<float, uint>(destination);
        for (int i = 0; i < bits.Length; i++)
        {
            bits[i] = (uint)upper[i] << 16;
        }
    }

    /// <summary>Bytes with 4 bits of exponent, of bias 7, and 3 of mantissa; all ones are no number.</summary>
    public static void Eighths4(ReadOnlySpan<byte> source, Span<float> destination)
    {
        for (int i = 0; i < destination.Length; i++)
        {
            destination[i] = s_eighths4[source[i]];
        }
    }

    /// <summary>Bytes that are the upper halves of F16.</summary>
    public static void Eighths5(ReadOnlySpan<byte> source, Span<float> destination)
    {
        for (int i = 0; i < destination.Length; i++)
        {
            destination[i] = (float)BitConverter.UInt16BitsToHalf((ushort)(source[i] << 8));
        }
    }

    /// <summary>Numbers that .NET converts; those that float32 cannot hold are rounded.</summary>
    public static void Numbers<T>(ReadOnlySpan<byte> source, Span<float> destination)
        where T : unmanaged, INumber<T> => TensorPrimitives.ConvertTruncating(MemoryMarshal.Cast<byte, T>(source), destination);

    private static float Eighth4(byte bits)
    {
        const int Bias = 7;
        const int MantissaBits = 3;
        (int exponent, int mantissa) = ((bits >> MantissaBits) & 15, bits & 7);
        float magnitude = (bits & 0x7F) == 0x7F ? float.NaN
            : exponent == 0 ? MathF.ScaleB(mantissa, 1 - Bias - MantissaBits)
            : MathF.ScaleB(mantissa + 8, exponent - Bias - MantissaBits);
        return bits > 0x7F ? -magnitude : magnitude;
    }
}
