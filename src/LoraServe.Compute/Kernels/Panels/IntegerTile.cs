using System.Runtime.CompilerServices;

namespace LoraServe.Compute.Kernels.Panels;

/// <summary>Products of rounded activation rows with one panel of integer weights.</summary>
/// <remarks>
/// Per block of 32 inputs: an exact integer dot product per lane, then sum += (weight scale · activation scale) · dot, and with minima
/// sum += minimum · activation sum. Blocks are added in order, by the same operations however many rows share the weights.
/// </remarks>
internal static unsafe class IntegerTile<TSimd, TFloat, TInt, TFormat>
    where TSimd : struct, ISimd<TFloat, TInt>
    where TFloat : unmanaged
    where TInt : unmanaged
    where TFormat : struct, IIntegerFormat
{
    // Far enough ahead to cover memory latency at one core's share of bandwidth.
    private const int PrefetchBytes = 2048;

    private static int CodeBytes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (TFormat.IsNibbles ? 16 : 32) * TSimd.Lanes;
    }

    private static int BlockBytes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => CodeBytes + ((TFormat.HasMinimum ? 4 : 2) * TSimd.Lanes);
    }

    /// <summary>One row: tile[lane].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Row(byte* panel, int blocks, ActivationBlock* x, float* tile)
    {
        TInt nibble = TSimd.BroadcastInt(0x0F0F0F0F);
        TFloat sum = default;
        for (ActivationBlock* end = x + blocks; x < end; x++, panel += BlockBytes)
        {
            for (int line = 0; line < BlockBytes; line += 64)
            {
                TSimd.Prefetch(panel + PrefetchBytes + line);
            }

            TInt dot = Start(x);
            for (int group = 0; group < (TFormat.IsNibbles ? 4 : 8); group++)
            {
                TInt codes = TSimd.LoadBytes(panel + (group * 4 * TSimd.Lanes));
                sbyte* activations = x->Codes + (4 * group);
                if (TFormat.IsNibbles)
                {
                    dot = AddProducts(dot, TSimd.And(codes, nibble), activations);
                    dot = AddProducts(dot, TSimd.And(TSimd.ShiftRight(codes, 4), nibble), activations + 16);
                }
                else
                {
                    dot = AddProducts(dot, codes, activations);
                }
            }

            byte* scales = panel + CodeBytes;
            sum = AddBlock(sum, dot, x, TSimd.LoadHalves((ushort*)scales), scales);
        }

        TSimd.Store(sum, tile);
    }

    /// <summary>Four rows: tile[row · lanes + lane].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void FourRows(byte* panel, int blocks, ActivationBlock* x0, ActivationBlock* x1, ActivationBlock* x2, ActivationBlock* x3, float* tile)
    {
        TInt nibble = TSimd.BroadcastInt(0x0F0F0F0F);
        TFloat sum0 = default;
        TFloat sum1 = default;
        TFloat sum2 = default;
        TFloat sum3 = default;
        for (ActivationBlock* end = x0 + blocks; x0 < end; x0++, x1++, x2++, x3++, panel += BlockBytes)
        {
            TInt dot0 = Start(x0);
            TInt dot1 = Start(x1);
            TInt dot2 = Start(x2);
            TInt dot3 = Start(x3);
            for (int group = 0; group < (TFormat.IsNibbles ? 4 : 8); group++)
            {
                TInt codes = TSimd.LoadBytes(panel + (group * 4 * TSimd.Lanes));
                int place = 4 * group;
                if (TFormat.IsNibbles)
                {
                    TInt low = TSimd.And(codes, nibble);
                    dot0 = AddProducts(dot0, low, x0->Codes + place);
                    dot1 = AddProducts(dot1, low, x1->Codes + place);
                    dot2 = AddProducts(dot2, low, x2->Codes + place);
                    dot3 = AddProducts(dot3, low, x3->Codes + place);
                    codes = TSimd.And(TSimd.ShiftRight(codes, 4), nibble);
                    place += 16;
                }

                dot0 = AddProducts(dot0, codes, x0->Codes + place);
                dot1 = AddProducts(dot1, codes, x1->Codes + place);
                dot2 = AddProducts(dot2, codes, x2->Codes + place);
                dot3 = AddProducts(dot3, codes, x3->Codes + place);
            }

            byte* scales = panel + CodeBytes;
            TFloat scale = TSimd.LoadHalves((ushort*)scales);
            sum0 = AddBlock(sum0, dot0, x0, scale, scales);
            sum1 = AddBlock(sum1, dot1, x1, scale, scales);
            sum2 = AddBlock(sum2, dot2, x2, scale, scales);
            sum3 = AddBlock(sum3, dot3, x3, scale, scales);
        }

        TSimd.Store(sum0, tile);
        TSimd.Store(sum1, tile + TSimd.Lanes);
        TSimd.Store(sum2, tile + (2 * TSimd.Lanes));
        TSimd.Store(sum3, tile + (3 * TSimd.Lanes));
    }

    // Sums of nibble products stay in 16 bits for the whole block, unless 32-bit sums cost nothing.
    private static bool SumsShorts
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TFormat.IsNibbles && !TSimd.HasDot;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TInt Start(ActivationBlock* x) => SumsShorts || TFormat.HasMinimum ? default : TSimd.BroadcastInt(x->Offset);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TInt AddProducts(TInt dot, TInt codes, sbyte* activations)
    {
        TInt four = TSimd.BroadcastInt(*(int*)activations);
        return SumsShorts ? TSimd.AddShorts(dot, TSimd.MultiplyBytePairs(codes, four)) : TSimd.DotAdd(dot, codes, four);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TFloat AddBlock(TFloat sum, TInt dot, ActivationBlock* x, TFloat scale, byte* scales)
    {
        if (SumsShorts)
        {
            dot = TSimd.SumShortPairs(dot);
            if (!TFormat.HasMinimum)
            {
                dot = TSimd.AddInts(dot, TSimd.BroadcastInt(x->Offset));
            }
        }

        sum = TSimd.MultiplyAdd(TSimd.Multiply(scale, TSimd.Broadcast(x->Scale)), TSimd.ToFloat(dot), sum);
        return TFormat.HasMinimum
            ? TSimd.MultiplyAdd(TSimd.LoadHalves((ushort*)scales + TSimd.Lanes), TSimd.Broadcast(x->Sum), sum)
            : sum;
    }
}
