using System.Buffers.Binary;

namespace LoraServe.Compute.Tensors;

/// <summary>Reads ggml's types of nibbles that stand for unevenly spaced levels.</summary>
internal static class Iq4Blocks
{
    /// <summary>What the 16 codes stand for.</summary>
    public static ReadOnlySpan<sbyte> Levels => [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

    /// <summary>An F16 scale and 16 bytes of nibbles; value = scale · level.</summary>
    public static GroupScales ReadIQ4_NL(ReadOnlySpan<byte> block, int group, Span<byte> codes)
    {
        GgmlBlocks.SplitNibbles(block[2..], codes);
        return new GroupScales(GgmlBlocks.HalfAt(block, 0));
    }

    /// <summary>An F16 scale, 8 factors of 6 bits less 32 (upper bits in two bytes, then low nibbles in four), 16 bytes of nibbles a group; value = scale · factor · level.</summary>
    public static GroupScales ReadIQ4_XS(ReadOnlySpan<byte> block, int group, Span<byte> codes)
    {
        GgmlBlocks.SplitNibbles(block[(8 + (16 * group))..], codes);
        int high = (BinaryPrimitives.ReadUInt16LittleEndian(block[2..]) >> (2 * group)) & 3;
        int low = (block[4 + (group / 2)] >> (4 * (group % 2))) & 15;
        var factor = new GroupFactors((sbyte)((low | (high << 4)) - 32));
        return new GroupScales(GgmlBlocks.HalfAt(block, 0), 0, factor, factor);
    }
}
