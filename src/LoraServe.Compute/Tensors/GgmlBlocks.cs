using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace LoraServe.Compute.Tensors;

/// <summary>Reads the blocks of ggml's first quantised types, which are one group each.</summary>
internal static class GgmlBlocks
{
    /// <summary>An F16 scale and 16 bytes of nibbles; value = scale · (code − 8).</summary>
    public static void ReadQ4_0(ReadOnlySpan<byte> block, int group, Span<byte> codes, out float scale, out float minimum)
    {
        scale = HalfAt(block, 0);
        minimum = 0;
        SplitNibbles(block[2..], codes);
    }

    /// <summary>An F16 scale, an F16 minimum and 16 bytes of nibbles; value = scale · code + minimum.</summary>
    public static void ReadQ4_1(ReadOnlySpan<byte> block, int group, Span<byte> codes, out float scale, out float minimum)
    {
        scale = HalfAt(block, 0);
        minimum = HalfAt(block, 2);
        SplitNibbles(block[4..], codes);
    }

    /// <summary>An F16 scale and 32 signed bytes; value = scale · q, with code = q + 128.</summary>
    public static void ReadQ8_0(ReadOnlySpan<byte> block, int group, Span<byte> codes, out float scale, out float minimum)
    {
        scale = HalfAt(block, 0);
        minimum = 0;

        // Adding 128 flips the sign bit.
        (Vector256.Create(block[2..]) ^ Vector256.Create((byte)0x80)).CopyTo(codes);
    }

    private static float HalfAt(ReadOnlySpan<byte> block, int place) => (float)MemoryMarshal.Read<Half>(block[place..]);

    // Low nibbles are elements 0…15, high ones 16…31.
    private static void SplitNibbles(ReadOnlySpan<byte> pairs, Span<byte> codes)
    {
        var both = Vector128.Create(pairs);
        (both & Vector128.Create((byte)15)).CopyTo(codes);
        (both >>> 4).CopyTo(codes[16..]);
    }
}
