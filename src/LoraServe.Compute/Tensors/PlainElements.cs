using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace LoraServe.Compute.Tensors;

/// <summary>Decoders of the types that store each element by itself.</summary>
internal static class PlainElements
{
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

    /// <summary>Numbers that .NET converts; those that float32 cannot hold are rounded.</summary>
    public static void Numbers<T>(ReadOnlySpan<byte> source, Span<float> destination)
        where T : unmanaged, INumber<T> => TensorPrimitives.ConvertTruncating(MemoryMarshal.Cast<byte, T>(source), destination);
}
