using System.Runtime.CompilerServices;
using LoraServe.Compute.Vectors;

namespace LoraServe.Compute.Kernels.Panels;

/// <summary>Products of rounded activation rows with panels of integer weights.</summary>
/// <remarks>
/// Per group of 32 inputs, or half of it where halves have factors of their own: an exact integer dot product per lane, then
/// sum += (weight scale · activation scale) · dot, and with minima sum += minimum · activation sum. Groups are added in order, by the same operations however
/// many rows share the weights.
/// </remarks>
internal static unsafe class IntegerTile<TSimd, TFloat, TInt, TFormat>
    where TSimd : struct, ISimd<TFloat, TInt>
    where TFloat : unmanaged
    where TInt : unmanaged
    where TFormat : struct, IIntegerFormat
{
    // Far enough ahead to cover memory latency at one core's share of bandwidth.
    private const int PrefetchBytes = 2048;

    /// <summary>One row and two panels: tile[panel · lanes + lane].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RowByTwoPanels(byte* w0, byte* w1, int groups, ActivationBlock* x, float* tile)
    {
        TInt levels = IntegerGroup<TSimd, TFloat, TInt, TFormat>.Levels();
        int blockGroups = IntegerGroup<TSimd, TFloat, TInt, TFormat>.BlockGroups;
        int groupBytes = IntegerGroup<TSimd, TFloat, TInt, TFormat>.GroupBytes;
        int scaleBytes = IntegerGroup<TSimd, TFloat, TInt, TFormat>.ScaleBytes;
        TFloat sum0 = default;
        TFloat sum1 = default;
        nint panels = (nint)(w1 - w0);
        for (ActivationBlock* end = x + groups; x < end; w0 += scaleBytes)
        {
            TFloat scale0 = IntegerGroup<TSimd, TFloat, TInt, TFormat>.BlockScale(w0);
            TFloat scale1 = IntegerGroup<TSimd, TFloat, TInt, TFormat>.BlockScale(w0 + panels);
            TFloat minimum0 = IntegerGroup<TSimd, TFloat, TInt, TFormat>.BlockMinimum(w0);
            TFloat minimum1 = IntegerGroup<TSimd, TFloat, TInt, TFormat>.BlockMinimum(w0 + panels);
            for (int group = 0; group < blockGroups; group++, x++, w0 += groupBytes)
            {
                TInt dot0 = Start(x, 0);
                TInt dot1 = dot0;
                TInt upper0 = Start(x, 1);
                TInt upper1 = upper0;
                for (nint g = 0; g < 4; g++)
                {
                    PrefetchCodes(w0 + (g * 4 * TSimd.Lanes) + PrefetchBytes);
                    PrefetchCodes(w0 + panels + (g * 4 * TSimd.Lanes) + PrefetchBytes);
                    IntegerGroup<TSimd, TFloat, TInt, TFormat>.Codes(w0, g, levels, out TInt lowerCodes0, out TInt upperCodes0);
                    IntegerGroup<TSimd, TFloat, TInt, TFormat>.Codes(w0 + panels, g, levels, out TInt lowerCodes1, out TInt upperCodes1);
                    TInt four = TSimd.BroadcastInt(*(int*)((sbyte*)x + (4 * g)));
                    dot0 = AddProducts(dot0, lowerCodes0, four);
                    dot1 = AddProducts(dot1, lowerCodes1, four);
                    four = TSimd.BroadcastInt(*(int*)((sbyte*)x + (4 * g) + 16));
                    if (IntegerGroup<TSimd, TFloat, TInt, TFormat>.IsSplit)
                    {
                        upper0 = AddProducts(upper0, upperCodes0, four);
                        upper1 = AddProducts(upper1, upperCodes1, four);
                    }
                    else
                    {
                        dot0 = AddProducts(dot0, upperCodes0, four);
                        dot1 = AddProducts(dot1, upperCodes1, four);
                    }
                }

                sum0 = AddHalf(sum0, dot0, x, 0, w0, scale0, minimum0);
                sum1 = AddHalf(sum1, dot1, x, 0, w0 + panels, scale1, minimum1);
                if (IntegerGroup<TSimd, TFloat, TInt, TFormat>.IsSplit)
                {
                    sum0 = AddHalf(sum0, upper0, x, 1, w0, scale0, minimum0);
                    sum1 = AddHalf(sum1, upper1, x, 1, w0 + panels, scale1, minimum1);
                }
            }
        }

        TSimd.Store(sum0, tile);
        TSimd.Store(sum1, tile + TSimd.Lanes);
    }

    /// <summary>Four rows and two panels: tile[(row · 2 + panel) · lanes + lane].</summary>
    /// <remarks>The float sums live in the tile, not in registers: those hold the eight integer sums.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void FourRowsByTwoPanels(byte* w0, byte* w1, int groups, ActivationBlock* x0, ActivationBlock* x1, ActivationBlock* x2, ActivationBlock* x3, float* tile)
    {
        if (IntegerGroup<TSimd, TFloat, TInt, TFormat>.IsSplit)
        {
            FourRowsByPanel(w0, groups, x0, x1, x2, x3, tile);
            FourRowsByPanel(w1, groups, x0, x1, x2, x3, tile + TSimd.Lanes);
            return;
        }

        TInt levels = IntegerGroup<TSimd, TFloat, TInt, TFormat>.Levels();
        int blockGroups = IntegerGroup<TSimd, TFloat, TInt, TFormat>.BlockGroups;
        int groupBytes = IntegerGroup<TSimd, TFloat, TInt, TFormat>.GroupBytes;
        int scaleBytes = IntegerGroup<TSimd, TFloat, TInt, TFormat>.ScaleBytes;
        for (int i = 0; i < 8; i++)
        {
            TSimd.Store(default, tile + (i * TSimd.Lanes));
        }

        for (ActivationBlock* end = x0 + groups; x0 < end; w0 += scaleBytes, w1 += scaleBytes)
        {
            TFloat scale0 = IntegerGroup<TSimd, TFloat, TInt, TFormat>.BlockScale(w0);
            TFloat scale1 = IntegerGroup<TSimd, TFloat, TInt, TFormat>.BlockScale(w1);
            TFloat minimum0 = IntegerGroup<TSimd, TFloat, TInt, TFormat>.BlockMinimum(w0);
            TFloat minimum1 = IntegerGroup<TSimd, TFloat, TInt, TFormat>.BlockMinimum(w1);
            for (int group = 0; group < blockGroups; group++, x0++, x1++, x2++, x3++, w0 += groupBytes, w1 += groupBytes)
            {
                TInt dot00 = Start(x0, 0), dot01 = dot00;
                TInt dot10 = Start(x1, 0), dot11 = dot10;
                TInt dot20 = Start(x2, 0), dot21 = dot20;
                TInt dot30 = Start(x3, 0), dot31 = dot30;
                for (nint g = 0; g < 4; g++)
                {
                    IntegerGroup<TSimd, TFloat, TInt, TFormat>.Codes(w0, g, levels, out TInt lower0, out TInt upper0);
                    IntegerGroup<TSimd, TFloat, TInt, TFormat>.Codes(w1, g, levels, out TInt lower1, out TInt upper1);
                    TInt four = TSimd.BroadcastInt(*(int*)((sbyte*)x0 + (4 * g)));
                    dot00 = AddProducts(dot00, lower0, four);
                    dot01 = AddProducts(dot01, lower1, four);
                    four = TSimd.BroadcastInt(*(int*)((sbyte*)x1 + (4 * g)));
                    dot10 = AddProducts(dot10, lower0, four);
                    dot11 = AddProducts(dot11, lower1, four);
                    four = TSimd.BroadcastInt(*(int*)((sbyte*)x2 + (4 * g)));
                    dot20 = AddProducts(dot20, lower0, four);
                    dot21 = AddProducts(dot21, lower1, four);
                    four = TSimd.BroadcastInt(*(int*)((sbyte*)x3 + (4 * g)));
                    dot30 = AddProducts(dot30, lower0, four);
                    dot31 = AddProducts(dot31, lower1, four);
                    four = TSimd.BroadcastInt(*(int*)((sbyte*)x0 + (4 * g) + 16));
                    dot00 = AddProducts(dot00, upper0, four);
                    dot01 = AddProducts(dot01, upper1, four);
                    four = TSimd.BroadcastInt(*(int*)((sbyte*)x1 + (4 * g) + 16));
                    dot10 = AddProducts(dot10, upper0, four);
                    dot11 = AddProducts(dot11, upper1, four);
                    four = TSimd.BroadcastInt(*(int*)((sbyte*)x2 + (4 * g) + 16));
                    dot20 = AddProducts(dot20, upper0, four);
                    dot21 = AddProducts(dot21, upper1, four);
                    four = TSimd.BroadcastInt(*(int*)((sbyte*)x3 + (4 * g) + 16));
                    dot30 = AddProducts(dot30, upper0, four);
                    dot31 = AddProducts(dot31, upper1, four);
                }

                TFloat scale = IntegerGroup<TSimd, TFloat, TInt, TFormat>.Scale(w0, 0, scale0);
                TFloat minimum = IntegerGroup<TSimd, TFloat, TInt, TFormat>.Minimum(w0, 0, minimum0);
                AddGroupInto(tile, dot00, x0, 0, scale, minimum);
                AddGroupInto(tile + (2 * TSimd.Lanes), dot10, x1, 0, scale, minimum);
                AddGroupInto(tile + (4 * TSimd.Lanes), dot20, x2, 0, scale, minimum);
                AddGroupInto(tile + (6 * TSimd.Lanes), dot30, x3, 0, scale, minimum);
                scale = IntegerGroup<TSimd, TFloat, TInt, TFormat>.Scale(w1, 0, scale1);
                minimum = IntegerGroup<TSimd, TFloat, TInt, TFormat>.Minimum(w1, 0, minimum1);
                AddGroupInto(tile + TSimd.Lanes, dot01, x0, 0, scale, minimum);
                AddGroupInto(tile + (3 * TSimd.Lanes), dot11, x1, 0, scale, minimum);
                AddGroupInto(tile + (5 * TSimd.Lanes), dot21, x2, 0, scale, minimum);
                AddGroupInto(tile + (7 * TSimd.Lanes), dot31, x3, 0, scale, minimum);
            }
        }
    }

    // Four rows and one panel of a tile of two: the eight integer sums are those of the halves of groups.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourRowsByPanel(byte* w, int groups, ActivationBlock* x0, ActivationBlock* x1, ActivationBlock* x2, ActivationBlock* x3, float* tile)
    {
        TInt levels = IntegerGroup<TSimd, TFloat, TInt, TFormat>.Levels();
        int blockGroups = IntegerGroup<TSimd, TFloat, TInt, TFormat>.BlockGroups;
        int groupBytes = IntegerGroup<TSimd, TFloat, TInt, TFormat>.GroupBytes;
        int scaleBytes = IntegerGroup<TSimd, TFloat, TInt, TFormat>.ScaleBytes;
        for (int row = 0; row < 4; row++)
        {
            TSimd.Store(default, tile + (2 * row * TSimd.Lanes));
        }

        for (ActivationBlock* end = x0 + groups; x0 < end; w += scaleBytes)
        {
            TFloat blockScale = IntegerGroup<TSimd, TFloat, TInt, TFormat>.BlockScale(w);
            TFloat blockMinimum = IntegerGroup<TSimd, TFloat, TInt, TFormat>.BlockMinimum(w);
            for (int group = 0; group < blockGroups; group++, x0++, x1++, x2++, x3++, w += groupBytes)
            {
                TInt lower0 = Start(x0, 0), upper0 = Start(x0, 1);
                TInt lower1 = Start(x1, 0), upper1 = Start(x1, 1);
                TInt lower2 = Start(x2, 0), upper2 = Start(x2, 1);
                TInt lower3 = Start(x3, 0), upper3 = Start(x3, 1);
                for (nint g = 0; g < 4; g++)
                {
                    IntegerGroup<TSimd, TFloat, TInt, TFormat>.Codes(w, g, levels, out TInt lower, out TInt upper);
                    lower0 = AddProducts(lower0, lower, TSimd.BroadcastInt(*(int*)((sbyte*)x0 + (4 * g))));
                    upper0 = AddProducts(upper0, upper, TSimd.BroadcastInt(*(int*)((sbyte*)x0 + (4 * g) + 16)));
                    lower1 = AddProducts(lower1, lower, TSimd.BroadcastInt(*(int*)((sbyte*)x1 + (4 * g))));
                    upper1 = AddProducts(upper1, upper, TSimd.BroadcastInt(*(int*)((sbyte*)x1 + (4 * g) + 16)));
                    lower2 = AddProducts(lower2, lower, TSimd.BroadcastInt(*(int*)((sbyte*)x2 + (4 * g))));
                    upper2 = AddProducts(upper2, upper, TSimd.BroadcastInt(*(int*)((sbyte*)x2 + (4 * g) + 16)));
                    lower3 = AddProducts(lower3, lower, TSimd.BroadcastInt(*(int*)((sbyte*)x3 + (4 * g))));
                    upper3 = AddProducts(upper3, upper, TSimd.BroadcastInt(*(int*)((sbyte*)x3 + (4 * g) + 16)));
                }

                TFloat scale = IntegerGroup<TSimd, TFloat, TInt, TFormat>.Scale(w, 0, blockScale);
                TFloat minimum = IntegerGroup<TSimd, TFloat, TInt, TFormat>.Minimum(w, 0, blockMinimum);
                AddGroupInto(tile, lower0, x0, 0, scale, minimum);
                AddGroupInto(tile + (2 * TSimd.Lanes), lower1, x1, 0, scale, minimum);
                AddGroupInto(tile + (4 * TSimd.Lanes), lower2, x2, 0, scale, minimum);
                AddGroupInto(tile + (6 * TSimd.Lanes), lower3, x3, 0, scale, minimum);
                scale = IntegerGroup<TSimd, TFloat, TInt, TFormat>.Scale(w, 1, blockScale);
                minimum = IntegerGroup<TSimd, TFloat, TInt, TFormat>.Minimum(w, 1, blockMinimum);
                AddGroupInto(tile, upper0, x0, 1, scale, minimum);
                AddGroupInto(tile + (2 * TSimd.Lanes), upper1, x1, 1, scale, minimum);
                AddGroupInto(tile + (4 * TSimd.Lanes), upper2, x2, 1, scale, minimum);
                AddGroupInto(tile + (6 * TSimd.Lanes), upper3, x3, 1, scale, minimum);
            }
        }
    }

    // Sums of small products stay in 16 bits for the whole group, unless 32-bit sums cost nothing.
    private static bool SumsShorts
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TFormat.Bits <= 4 && !TFormat.HasLevels && !TSimd.HasDot;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void PrefetchCodes(byte* address)
    {
        TSimd.Prefetch(address);
        if (TFormat.Bits > 4)
        {
            TSimd.Prefetch(address + (16 * TSimd.Lanes));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TInt Start(ActivationBlock* x, int half) => SumsShorts || TFormat.HasMinimum ? default : Offset(x, half);

    // The zero point times the sum of the activations, negated.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TInt Offset(ActivationBlock* x, int half) => TSimd.ShiftLeft(TSimd.BroadcastInt(HalfOffset(x, half)), IntegerGroup<TSimd, TFloat, TInt, TFormat>.ZeroShift);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int HalfOffset(ActivationBlock* x, int half) => !IntegerGroup<TSimd, TFloat, TInt, TFormat>.IsSplit ? x->Offset : half == 0 ? x->LowerOffset : x->Offset - x->LowerOffset;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TInt AddProducts(TInt dot, TInt codes, TInt activations) => SumsShorts
        ? TSimd.AddShorts(dot, TSimd.MultiplyBytePairs(codes, activations))
        : TSimd.DotAdd(dot, codes, activations);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TFloat AddHalf(TFloat sum, TInt dot, ActivationBlock* x, int half, byte* group, TFloat blockScale, TFloat blockMinimum) => AddGroup(
        sum, dot, x, half, IntegerGroup<TSimd, TFloat, TInt, TFormat>.Scale(group, half, blockScale), IntegerGroup<TSimd, TFloat, TInt, TFormat>.Minimum(group, half, blockMinimum));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddGroupInto(float* sum, TInt dot, ActivationBlock* x, int half, TFloat scale, TFloat minimum) =>
        TSimd.Store(AddGroup(TSimd.Load(sum), dot, x, half, scale, minimum), sum);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TFloat AddGroup(TFloat sum, TInt dot, ActivationBlock* x, int half, TFloat scale, TFloat minimum)
    {
        if (SumsShorts)
        {
            dot = TSimd.SumShortPairs(dot);
            if (!TFormat.HasMinimum)
            {
                dot = TSimd.AddInts(dot, Offset(x, half));
            }
        }

        sum = TSimd.MultiplyAdd(TSimd.Multiply(scale, TSimd.Broadcast(x->Scale)), TSimd.ToFloat(dot), sum);
        return TFormat.HasMinimum ? TSimd.MultiplyAdd(minimum, TSimd.Broadcast(IntegerGroup<TSimd, TFloat, TInt, TFormat>.IsSplit ? x->Scale * -HalfOffset(x, half) : x->Sum), sum) : sum;
    }
}
