using System.Runtime.Intrinsics;

namespace LoraServe.Compute.Matrices;

/// <summary>How a lane's 32 codes of a group lie in the 32-bit lanes of a panel's vectors.</summary>
/// <remarks>
/// Codes of 8 bits: vector v holds inputs 4v … 4v + 3. A plane of p bits, 4, 2 or 1, has p vectors. Inputs 4g … 4g + 3 (g below 4) are at bits (p · g) mod 4 of
/// the bytes of vector p · g / 4, and inputs 16 + 4g … four bits above: with one shift, a vector gives both. Codes of 2 to 6 bits are a plane of their lowest
/// 2 or 4, then one of what is above.
/// </remarks>
internal static unsafe class PanelPlanes
{
    private const int Half = PanelLayout.GroupInputs / 2;

    /// <summary>Bits of the first plane, for codes below 8 bits.</summary>
    public static int LowBits(int bits) => bits >= 4 ? 4 : 2;

    /// <summary>Writes a group's codes into a lane.</summary>
    public static void Pack(ReadOnlySpan<byte> codes, int bits, uint* lane, int lanes)
    {
        if (bits == 8)
        {
            fixed (byte* code = codes)
            {
                for (int v = 0; v < PanelLayout.GroupInputs / 4; v++)
                {
                    lane[v * lanes] = ((uint*)code)[v];
                }
            }

            return;
        }

        Vector128<byte> lower = Vector128.Create(codes[..Half]);
        Vector128<byte> upper = Vector128.Create(codes[Half..]);
        int low = LowBits(bits);
        Vector128<byte> mask = Vector128.Create((byte)((1 << low) - 1));
        PackPlane((lower & mask) | ((upper & mask) << 4), low, lane, lanes);
        if (bits > low)
        {
            PackPlane((lower >>> low) | ((upper >>> low) << 4), bits - low, lane + (low * lanes), lanes);
        }
    }

    /// <summary>Reads a group's codes from a lane.</summary>
    public static void Unpack(uint* lane, int lanes, int bits, Span<byte> codes)
    {
        if (bits == 8)
        {
            fixed (byte* code = codes)
            {
                for (int v = 0; v < PanelLayout.GroupInputs / 4; v++)
                {
                    ((uint*)code)[v] = lane[v * lanes];
                }
            }

            return;
        }

        int low = LowBits(bits);
        (Vector128<byte> lower, Vector128<byte> upper) = UnpackPlane(lane, lanes, low);
        if (bits > low)
        {
            (Vector128<byte> lowerRest, Vector128<byte> upperRest) = UnpackPlane(lane + (low * lanes), lanes, bits - low);
            lower |= lowerRest << low;
            upper |= upperRest << low;
        }

        lower.CopyTo(codes);
        upper.CopyTo(codes[Half..]);
    }

    private static void PackPlane(Vector128<byte> pairs, int bits, uint* lane, int lanes)
    {
        for (int g = 0; g < 4; g++)
        {
            (int vector, int shift) = Math.DivRem(g * bits, 4);
            uint shifted = pairs.AsUInt32()[g] << shift;
            lane[vector * lanes] = shift == 0 ? shifted : lane[vector * lanes] | shifted;
        }
    }

    private static (Vector128<byte> Lower, Vector128<byte> Upper) UnpackPlane(uint* lane, int lanes, int bits)
    {
        Vector128<uint> pairs = default;
        for (int g = 0; g < 4; g++)
        {
            (int vector, int shift) = Math.DivRem(g * bits, 4);
            pairs = pairs.WithElement(g, lane[vector * lanes] >> shift);
        }

        Vector128<byte> mask = Vector128.Create((byte)((1 << bits) - 1));
        return (pairs.AsByte() & mask, (pairs.AsByte() >>> 4) & mask);
    }
}
