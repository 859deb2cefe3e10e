using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace LoraServe.Compute.Tensors;

/// <summary>Reads the blocks of ggml's first quantised types, which are one group each.</summary>
internal static class GgmlBlocks
{
    /// <summary>An F16 scale and 16 bytes of nibbles; value = scale · (code − 8).</summary>
    public static GroupScales ReadQ4_0(ReadOnlySpan<byte> block, int group, Span<byte> codes)
    {
        SplitNibbles(block[2..], codes);
        return new GroupScales(HalfAt(block, 0));
    }

    /// <summary>An F16 scale, an F16 minimum and 16 bytes of nibbles; value = scale · code + minimum.</summary>
    public static GroupScales ReadQ4_1(ReadOnlySpan<byte> block, int group, Span<byte> codes)
    {
        SplitNibbles(block[4..], codes);
        return new GroupScales(HalfAt(block, 0), HalfAt(block, 2));
    }

    /// <summary>An F16 scale, 4 bytes of fifth bits and 16 bytes of nibbles; value = scale · (code − 16).</summary>
    public static GroupScales ReadQ5_0(ReadOnlySpan<byte> block, int group, Span<byte> codes)
    {
        SplitNibbles(block[6..], codes);
        AddFifthBits(BinaryPrimitives.ReadUInt32LittleEndian(block[2..]), codes);
        return new GroupScales(HalfAt(block, 0));
    }

    /// <summary>An F16 scale, an F16 minimum, 4 bytes of fifth bits and 16 bytes of nibbles; value = scale · code + minimum.</summary>
    public static GroupScales ReadQ5_1(ReadOnlySpan<byte> block, int group, Span<byte> codes)
    {
        SplitNibbles(block[8..], codes);
        AddFifthBits(BinaryPrimitives.ReadUInt32LittleEndian(block[4..]), codes);
        return new GroupScales(HalfAt(block, 0), HalfAt(block, 2));
    }

    /// <summary>An F16 scale and 32 signed bytes; value = scale · q, with code = q + 128.</summary>
    public static GroupScales ReadQ8_0(ReadOnlySpan<byte> block, int group, Span<byte> codes)
    {
        // Adding 128 flips the sign bit.
        (Vector256.Create(block[2..]) ^ Vector256.Create((byte)0x80)).CopyTo(codes);
        return new GroupScales(HalfAt(block, 0));
    }

    /// <summary>A half-precision number in a block.</summary>
    public static float HalfAt(ReadOnlySpan<byte> block, int place) => (float)MemoryMarshal.Read<Half>(block[place..]);

    /// <summary>16 bytes to 32 codes: low nibbles are elements 0…15, high ones 16…31.</summary>
    public static void SplitNibbles(ReadOnlySpan<byte> pairs, Span<byte> codes)
    {
        var both = Vector128.Create(pairs);
        (both & Vector128.Create((byte)15)).CopyTo(codes);
        (both >>> 4).CopyTo(codes[16..]);
    }

    // Bit i is the fifth bit of element i.
    private static void AddFifthBits(uint bits, Span<byte> codes)
    {
        for (int i = 0; i < CodeForm.GroupElements; i++)
        {
            codes[i] |= (byte)(((bits >> i) & 1) << 4);
        }
    }
}
