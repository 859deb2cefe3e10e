using System.Runtime.CompilerServices;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Tensors;
using LoraServe.Compute.Vectors;

namespace LoraServe.Compute.Kernels.Panels;

/// <summary>Where the parts of a group and of a block lie in panels of a format, and how they are read.</summary>
internal static unsafe class IntegerGroup<TSimd, TFloat, TInt, TFormat>
    where TSimd : struct, ISimd<TFloat, TInt>
    where TFloat : unmanaged
    where TInt : unmanaged
    where TFormat : struct, IIntegerFormat
{
    // Where levels have their zero, as unsigned bytes.
    private const int LevelZero = 128;

    /// <summary>Groups of a block.</summary>
    public static int BlockGroups
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TFormat.Factors > 0 ? CodeForm.BlockGroups : 1;
    }

    /// <summary>Bytes of a group.</summary>
    public static int GroupBytes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => CodeBytes + (TFormat.Factors * (TFormat.HasMinimum ? 2 : 1) * TSimd.Lanes);
    }

    /// <summary>Bytes of the groups of a block, after which its scales and minima come.</summary>
    public static int GroupsBytes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => BlockGroups * GroupBytes;
    }

    /// <summary>Bytes of scales and minima.</summary>
    public static int ScaleBytes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => sizeof(ushort) * (TFormat.HasMinimum ? 2 : 1) * TSimd.Lanes;
    }

    /// <summary>Whether the halves of a group are multiplied by different scales.</summary>
    public static bool IsSplit
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TFormat.Factors == 2;
    }

    /// <summary>The zero point, where there are no minima, is this power of two.</summary>
    public static int ZeroShift
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TFormat.HasLevels ? 7 : TFormat.Bits - 1;
    }

    private static int CodeBytes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => PanelLayout.GroupInputs / 8 * TFormat.Bits * TSimd.Lanes;
    }

    /// <summary>What codes stand for as unsigned bytes, for <see cref="Codes"/>; nothing where they are numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TInt Levels()
    {
        if (!TFormat.HasLevels)
        {
            return default;
        }

        byte* levels = stackalloc byte[16];
        for (int i = 0; i < Iq4Blocks.Levels.Length; i++)
        {
            levels[i] = (byte)(Iq4Blocks.Levels[i] + LevelZero);
        }

        return TSimd.RepeatBytes(levels);
    }

    /// <summary>Inputs 4g … 4g + 3 of a group, and 16 + 4g …, one a byte: numbers from zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Codes(byte* group, nint g, TInt levels, out TInt lower, out TInt upper)
    {
        if (TFormat.Bits == 8)
        {
            lower = TSimd.LoadBytes(group + (g * 4 * TSimd.Lanes));
            upper = TSimd.LoadBytes(group + ((g + 4) * 4 * TSimd.Lanes));
            return;
        }

        int low = TFormat.Bits >= 4 ? 4 : 2;
        TInt mask = TSimd.BroadcastInt(0x01010101 * ((1 << low) - 1));
        TInt both = low == 4 ? TSimd.LoadBytes(group + (g * 4 * TSimd.Lanes)) : TwoBits(group, g);
        lower = TSimd.And(both, mask);
        upper = TSimd.And(TSimd.ShiftRight(both, 4), mask);
        if (TFormat.HasLevels)
        {
            lower = TSimd.LookUpBytes(levels, lower);
            upper = TSimd.LookUpBytes(levels, upper);
        }

        if (TFormat.Bits > low)
        {
            byte* rest = group + (4 * low * TSimd.Lanes);
            bool isOne = TFormat.Bits - low == 1;
            both = isOne ? TSimd.ShiftRight(TSimd.LoadBytes(rest), (int)g) : TwoBits(rest, g);
            mask = TSimd.BroadcastInt(0x01010101 * ((isOne ? 1 : 3) << low));
            lower = TSimd.Or(lower, TSimd.And(TSimd.ShiftLeft(both, low), mask));
            upper = TSimd.Or(upper, TSimd.And(low == 4 ? both : TSimd.ShiftRight(both, 2), mask));
        }
    }

    /// <summary>The scales of a block, to be kept for <see cref="Scale"/>; nothing where each group has its own.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TFloat BlockScale(byte* block) => TFormat.Factors > 0 ? TSimd.LoadHalves((ushort*)(block + GroupsBytes)) : default;

    /// <summary>The minima of a block, to be kept for <see cref="Minimum"/>; nothing where there are none or each group has its own.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TFloat BlockMinimum(byte* block) => TFormat.Factors > 0 && TFormat.HasMinimum ? TSimd.LoadHalves((ushort*)(block + GroupsBytes) + TSimd.Lanes) : default;

    /// <summary>What the codes of half <paramref name="half"/> (0 or 1) of a group are multiplied by.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TFloat Scale(byte* group, int half, TFloat blockScale) => TFormat.Factors == 0
        ? TSimd.LoadHalves((ushort*)(group + GroupBytes))
        : TSimd.Multiply(blockScale, Factor(group, TFormat.Factors == 1 ? 0 : half));

    /// <summary>What is added to each of them; nothing where there are no minima.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TFloat Minimum(byte* group, int half, TFloat blockMinimum) => !TFormat.HasMinimum ? default
        : TFormat.Factors == 0 ? TSimd.LoadHalves((ushort*)(group + GroupBytes) + TSimd.Lanes)
        : TSimd.Multiply(blockMinimum, Factor(group, TFormat.Factors == 1 ? 1 : 2 + half));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TFloat Factor(byte* group, int place) => TSimd.ToFloat(TSimd.LoadSignedBytes((sbyte*)group + CodeBytes + (place * TSimd.Lanes)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TInt TwoBits(byte* plane, nint g) => TSimd.ShiftRight(TSimd.LoadBytes(plane + (g / 2 * 4 * TSimd.Lanes)), (int)(g % 2) * 2);
}
