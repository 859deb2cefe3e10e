using System.Runtime.InteropServices;

namespace LoraServe.Compute.Tensors;

/// <summary>Writes the types that store each element by itself; nearest, ties to even.</summary>
internal static class PlainEncoding
{
    public static void Singles(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, Span<byte> destination) => MemoryMarshal.AsBytes(values).CopyTo(destination);

    public static void Halves(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, Span<byte> destination)
    {
        Span<Half> halves = MemoryMarshal.Cast<byte, Half>(destination);
        for (int i = 0; i < values.Length; i++)
        {
            halves[i] = (Half)values[i];
        }
    }

    public static void BFloats(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, Span<byte> destination)
    {
        Span<ushort> upper = MemoryMarshal.Cast<byte, ushort>(destination);
        for (int i = 0; i < values.Length; i++)
        {
            uint bits = BitConverter.SingleToUInt32Bits(values[i]);
            upper[i] = (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
        }
    }
}
