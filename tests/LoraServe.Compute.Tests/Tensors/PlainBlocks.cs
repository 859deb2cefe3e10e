using LoraServe.Compute.Tensors;

namespace LoraServe.Compute.Tests.Tensors;

/// <summary>One value of a block at a time, from ggml's description of the types alone.</summary>
internal static class PlainBlocks
{
    private static readonly int[] s_levels = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

    public static float Value(ElementType type, byte[] block, int i)
    {
        (int group, int place) = Math.DivRem(i, 32);
        int run = i / 16;
        int nibble = place % 16;
        bool isUpper = place >= 16;
        switch (type)
        {
            case ElementType.Q5_0:
                return Half(block, 0) * ((Nibble(block[6 + nibble], isUpper) | (Bits(block[2 + (place / 8)], place % 8, 1) << 4)) - 16);
            case ElementType.Q5_1:
                return (Half(block, 0) * (Nibble(block[8 + nibble], isUpper) | (Bits(block[4 + (place / 8)], place % 8, 1) << 4))) + Half(block, 2);
            case ElementType.Q2_K:
                return (Half(block, 80) * (block[run] & 15) * TwoBits(block, 16, group, place)) - (Half(block, 82) * (block[run] >> 4));
            case ElementType.Q3_K:
                int six = (block[96 + (run % 8)] >> (4 * (run / 8)) & 15) | (Bits(block[104 + (run % 4)], 2 * (run / 4), 2) << 4);
                return Half(block, 108) * (six - 32) * (TwoBits(block, 32, group, place) - (Bits(block[place], group, 1) == 1 ? 0 : 4));
            case ElementType.Q4_K:
                return (Half(block, 0) * SixBits(block, group, 0) * KNibble(block, 16, group, place)) - (Half(block, 2) * SixBits(block, group, 4));
            case ElementType.Q5_K:
                int five = KNibble(block, 48, group, place) + (16 * Bits(block[16 + place], group, 1));
                return (Half(block, 0) * SixBits(block, group, 0) * five) - (Half(block, 2) * SixBits(block, group, 4));
            case ElementType.Q6_K:
                int low = Nibble(block[(64 * (group / 4)) + (32 * (group % 2)) + place], group % 4 >= 2);
                return Half(block, 208) * (sbyte)block[192 + run] * (low + (16 * TwoBits(block, 128, group, place)) - 32);
            case ElementType.IQ4_NL:
                return Half(block, 0) * s_levels[Nibble(block[2 + nibble], isUpper)];
            case ElementType.IQ4_XS:
                int factor = Nibble(block[4 + (group / 2)], group % 2 == 1) + (16 * (((block[2] | (block[3] << 8)) >> (2 * group)) & 3));
                return Half(block, 0) * (factor - 32) * s_levels[Nibble(block[8 + (16 * group) + nibble], isUpper)];
            default:
                throw new ArgumentOutOfRangeException(nameof(type), type, "not described here");
        }
    }

    private static float Half(byte[] block, int place) => (float)BitConverter.ToHalf(block, place);

    private static int Bits(byte value, int first, int count) => (value >> first) & ((1 << count) - 1);

    private static int Nibble(byte value, bool isUpper) => isUpper ? value >> 4 : value & 15;

    private static int TwoBits(byte[] block, int start, int group, int place) => Bits(block[start + (32 * (group / 4)) + place], 2 * (group % 4), 2);

    private static int KNibble(byte[] block, int start, int group, int place) => Nibble(block[start + (32 * (group / 2)) + place], group % 2 == 1);

    private static int SixBits(byte[] block, int group, int offset) => group < 4
        ? block[4 + offset + group] & 63
        : Nibble(block[8 + group], offset > 0) | ((block[offset + group] >> 6) << 4);
}
