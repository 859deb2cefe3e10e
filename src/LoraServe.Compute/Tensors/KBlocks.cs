using System.Runtime.Intrinsics;

namespace LoraServe.Compute.Tensors;

/// <summary>Reads ggml's K-quants: blocks of 256 values whose groups have small whole factors for the block's scale and minimum.</summary>
/// <remarks>
/// Of codes that are stored in planes of bits, a plane of 2 bits holds groups 0…3 in its first 32 bytes (group g at bits 2g and 2g + 1 of each byte) and 4…7 in its
/// last; a plane of 1 bit holds group g at bit g of each of its 32 bytes; of nibbles, 32 bytes hold two groups.
/// </remarks>
internal static class KBlocks
{
    /// <summary>16 factors (low nibbles for the scale, high ones for the minimum), a plane of 2 bits, F16 scale, F16 minimum to subtract.</summary>
    public static GroupScales ReadQ2_K(ReadOnlySpan<byte> block, int group, Span<byte> codes)
    {
        TwoBits(block[16..], group).CopyTo(codes);
        (byte lower, byte upper) = (block[2 * group], block[(2 * group) + 1]);
        return new GroupScales(
            GgmlBlocks.HalfAt(block, 80),
            -GgmlBlocks.HalfAt(block, 82),
            new GroupFactors((sbyte)(lower & 15), (sbyte)(lower >> 4)),
            new GroupFactors((sbyte)(upper & 15), (sbyte)(upper >> 4)));
    }

    /// <summary>A plane of third bits, a plane of 2 bits, 16 factors of 6 bits less 32, F16 scale; value = scale · factor · (code − 4).</summary>
    public static GroupScales ReadQ3_K(ReadOnlySpan<byte> block, int group, Span<byte> codes)
    {
        (TwoBits(block[32..], group) | (OneBit(block, group) << 2)).CopyTo(codes);
        ReadOnlySpan<byte> factors = block.Slice(96, 12);
        return new GroupScales(GgmlBlocks.HalfAt(block, 108), 0, Factor(factors, 2 * group), Factor(factors, (2 * group) + 1));

        // The low nibbles of the first eight bytes are those of factors 0…7, the high ones of 8…15; four factors share a byte of upper bits.
        static GroupFactors Factor(ReadOnlySpan<byte> factors, int i)
        {
            int low = (factors[i % 8] >> (4 * (i / 8))) & 15;
            int high = (factors[8 + (i % 4)] >> (2 * (i / 4))) & 3;
            return new GroupFactors((sbyte)((low | (high << 4)) - 32));
        }
    }

    /// <summary>F16 scale, F16 minimum to subtract, 8 factors of 6 bits for each, nibbles.</summary>
    public static GroupScales ReadQ4_K(ReadOnlySpan<byte> block, int group, Span<byte> codes)
    {
        Nibbles(block[16..], group).CopyTo(codes);
        return ScalesOfSixBits(block, group);
    }

    /// <summary>F16 scale, F16 minimum to subtract, 8 factors of 6 bits for each, a plane of fifth bits, nibbles.</summary>
    public static GroupScales ReadQ5_K(ReadOnlySpan<byte> block, int group, Span<byte> codes)
    {
        (Nibbles(block[48..], group) | (OneBit(block[16..], group) << 4)).CopyTo(codes);
        return ScalesOfSixBits(block, group);
    }

    /// <summary>Nibbles, a plane of 2 upper bits, 16 signed factors, F16 scale; value = scale · factor · (code − 32).</summary>
    /// <remarks>Of nibbles, 64 bytes hold four groups: two in the low ones, two in the high ones.</remarks>
    public static GroupScales ReadQ6_K(ReadOnlySpan<byte> block, int group, Span<byte> codes)
    {
        (int half, int quarter) = Math.DivRem(group, 4);
        var pairs = Vector256.Create(block[((64 * half) + (32 * (quarter % 2)))..]);
        Vector256<byte> low = quarter < 2 ? pairs & Vector256.Create((byte)15) : pairs >>> 4;
        (low | (TwoBits(block[128..], group) << 4)).CopyTo(codes);
        return new GroupScales(
            GgmlBlocks.HalfAt(block, 208), 0, new GroupFactors((sbyte)block[192 + (2 * group)]), new GroupFactors((sbyte)block[193 + (2 * group)]));
    }

    private static Vector256<byte> Nibbles(ReadOnlySpan<byte> plane, int group)
    {
        var pairs = Vector256.Create(plane[(32 * (group / 2))..]);
        return group % 2 == 0 ? pairs & Vector256.Create((byte)15) : pairs >>> 4;
    }

    private static Vector256<byte> TwoBits(ReadOnlySpan<byte> plane, int group) =>
        (Vector256.Create(plane[(32 * (group / 4))..]) >>> (2 * (group % 4))) & Vector256.Create((byte)3);

    private static Vector256<byte> OneBit(ReadOnlySpan<byte> plane, int group) => (Vector256.Create(plane) >>> group) & Vector256<byte>.One;

    // Twelve bytes after the halves: scales' factors 0…3, minima's 0…3, then the nibbles of both factors 4…7, whose upper bits are those that the first eight leave.
    private static GroupScales ScalesOfSixBits(ReadOnlySpan<byte> block, int group)
    {
        ReadOnlySpan<byte> factors = block.Slice(4, 12);
        int place = group % 4;
        int scale = factors[place];
        int minimum = factors[4 + place];
        GroupFactors both = group < 4
            ? new GroupFactors((sbyte)(scale & 63), (sbyte)(minimum & 63))
            : new GroupFactors((sbyte)((factors[8 + place] & 15) | ((scale >> 6) << 4)), (sbyte)((factors[8 + place] >> 4) | ((minimum >> 6) << 4)));
        return new GroupScales(GgmlBlocks.HalfAt(block, 0), -GgmlBlocks.HalfAt(block, 2), both, both);
    }
}
