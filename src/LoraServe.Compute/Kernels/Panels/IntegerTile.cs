using System.Runtime.CompilerServices;
using LoraServe.Compute.Vectors;

namespace LoraServe.Compute.Kernels.Panels;

/// <summary>Products of rounded activation rows with panels of integer weights.</summary>
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

    /// <summary>One row and two panels: tile[panel · lanes + lane].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RowByTwoPanels(byte* w0, byte* w1, int blocks, ActivationBlock* x, float* tile)
    {
        TInt nibble = TSimd.BroadcastInt(0x0F0F0F0F);
        TFloat sum0 = default;
        TFloat sum1 = default;
        for (ActivationBlock* end = x + blocks; x < end; x++, w0 += BlockBytes, w1 += BlockBytes)
        {
            TInt dot0 = Start(x);
            TInt dot1 = dot0;
            sbyte* activations = (sbyte*)x;
            byte* groupEnd = w0 + CodeBytes;
            for (nint panels = (nint)(w1 - w0); w0 < groupEnd; w0 += 4 * TSimd.Lanes, activations += 4)
            {
                TSimd.Prefetch(w0 + PrefetchBytes);
                TSimd.Prefetch(w0 + panels + PrefetchBytes);
                TInt codes0 = TSimd.LoadBytes(w0);
                TInt codes1 = TSimd.LoadBytes(w0 + panels);
                TInt four = TSimd.BroadcastInt(*(int*)activations);
                if (TFormat.IsNibbles)
                {
                    dot0 = AddProducts(dot0, TSimd.And(codes0, nibble), four);
                    dot1 = AddProducts(dot1, TSimd.And(codes1, nibble), four);
                    codes0 = TSimd.And(TSimd.ShiftRight(codes0, 4), nibble);
                    codes1 = TSimd.And(TSimd.ShiftRight(codes1, 4), nibble);
                    four = TSimd.BroadcastInt(*(int*)(activations + 16));
                }

                dot0 = AddProducts(dot0, codes0, four);
                dot1 = AddProducts(dot1, codes1, four);
            }

            w0 -= CodeBytes;
            sum0 = AddBlock(sum0, dot0, x, Scale(w0), Minimum(w0));
            sum1 = AddBlock(sum1, dot1, x, Scale(w1), Minimum(w1));
        }

        TSimd.Store(sum0, tile);
        TSimd.Store(sum1, tile + TSimd.Lanes);
    }

    /// <summary>Four rows and two panels: tile[(row · 2 + panel) · lanes + lane].</summary>
    /// <remarks>The float sums live in the tile, not in registers: those hold the eight integer sums.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void FourRowsByTwoPanels(byte* w0, byte* w1, int blocks, ActivationBlock* x0, ActivationBlock* x1, ActivationBlock* x2, ActivationBlock* x3, float* tile)
    {
        TInt nibble = TSimd.BroadcastInt(0x0F0F0F0F);
        for (int i = 0; i < 8; i++)
        {
            TSimd.Store(default, tile + (i * TSimd.Lanes));
        }

        for (ActivationBlock* end = x0 + blocks; x0 < end; x0++, x1++, x2++, x3++, w0 += BlockBytes, w1 += BlockBytes)
        {
            TInt dot00 = Start(x0), dot01 = dot00;
            TInt dot10 = Start(x1), dot11 = dot10;
            TInt dot20 = Start(x2), dot21 = dot20;
            TInt dot30 = Start(x3), dot31 = dot30;
            for (nint group = 0; group < (TFormat.IsNibbles ? 4 : 8); group++)
            {
                TInt codes0 = TSimd.LoadBytes(w0 + (group * 4 * TSimd.Lanes));
                TInt codes1 = TSimd.LoadBytes(w1 + (group * 4 * TSimd.Lanes));
                nint place = 4 * group;
                TInt four;
                if (TFormat.IsNibbles)
                {
                    TInt low0 = TSimd.And(codes0, nibble);
                    TInt low1 = TSimd.And(codes1, nibble);
                    four = TSimd.BroadcastInt(*(int*)((sbyte*)x0 + place));
                    dot00 = AddProducts(dot00, low0, four);
                    dot01 = AddProducts(dot01, low1, four);
                    four = TSimd.BroadcastInt(*(int*)((sbyte*)x1 + place));
                    dot10 = AddProducts(dot10, low0, four);
                    dot11 = AddProducts(dot11, low1, four);
                    four = TSimd.BroadcastInt(*(int*)((sbyte*)x2 + place));
                    dot20 = AddProducts(dot20, low0, four);
                    dot21 = AddProducts(dot21, low1, four);
                    four = TSimd.BroadcastInt(*(int*)((sbyte*)x3 + place));
                    dot30 = AddProducts(dot30, low0, four);
                    dot31 = AddProducts(dot31, low1, four);
                    codes0 = TSimd.And(TSimd.ShiftRight(codes0, 4), nibble);
                    codes1 = TSimd.And(TSimd.ShiftRight(codes1, 4), nibble);
                    place += 16;
                }

                four = TSimd.BroadcastInt(*(int*)((sbyte*)x0 + place));
                dot00 = AddProducts(dot00, codes0, four);
                dot01 = AddProducts(dot01, codes1, four);
                four = TSimd.BroadcastInt(*(int*)((sbyte*)x1 + place));
                dot10 = AddProducts(dot10, codes0, four);
                dot11 = AddProducts(dot11, codes1, four);
                four = TSimd.BroadcastInt(*(int*)((sbyte*)x2 + place));
                dot20 = AddProducts(dot20, codes0, four);
                dot21 = AddProducts(dot21, codes1, four);
                four = TSimd.BroadcastInt(*(int*)((sbyte*)x3 + place));
                dot30 = AddProducts(dot30, codes0, four);
                dot31 = AddProducts(dot31, codes1, four);
            }

            TFloat scale = Scale(w0);
            TFloat minimum = Minimum(w0);
            AddBlockInto(tile, dot00, x0, scale, minimum);
            AddBlockInto(tile + (2 * TSimd.Lanes), dot10, x1, scale, minimum);
            AddBlockInto(tile + (4 * TSimd.Lanes), dot20, x2, scale, minimum);
            AddBlockInto(tile + (6 * TSimd.Lanes), dot30, x3, scale, minimum);
            scale = Scale(w1);
            minimum = Minimum(w1);
            AddBlockInto(tile + TSimd.Lanes, dot01, x0, scale, minimum);
            AddBlockInto(tile + (3 * TSimd.Lanes), dot11, x1, scale, minimum);
            AddBlockInto(tile + (5 * TSimd.Lanes), dot21, x2, scale, minimum);
            AddBlockInto(tile + (7 * TSimd.Lanes), dot31, x3, scale, minimum);
        }
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
    private static TInt AddProducts(TInt dot, TInt codes, TInt activations) => SumsShorts
        ? TSimd.AddShorts(dot, TSimd.MultiplyBytePairs(codes, activations))
        : TSimd.DotAdd(dot, codes, activations);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TFloat Scale(byte* block) => TSimd.LoadHalves((ushort*)(block + CodeBytes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TFloat Minimum(byte* block) => TFormat.HasMinimum ? TSimd.LoadHalves((ushort*)(block + CodeBytes) + TSimd.Lanes) : default;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddBlockInto(float* sum, TInt dot, ActivationBlock* x, TFloat scale, TFloat minimum) =>
        TSimd.Store(AddBlock(TSimd.Load(sum), dot, x, scale, minimum), sum);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TFloat AddBlock(TFloat sum, TInt dot, ActivationBlock* x, TFloat scale, TFloat minimum)
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
        return TFormat.HasMinimum ? TSimd.MultiplyAdd(minimum, TSimd.Broadcast(x->Sum), sum) : sum;
    }
}
