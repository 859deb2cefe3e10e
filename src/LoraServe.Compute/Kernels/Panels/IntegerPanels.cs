using System.Runtime.CompilerServices;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Vectors;

namespace LoraServe.Compute.Kernels.Panels;

/// <summary>Panels of integers with scales.</summary>
internal sealed unsafe class IntegerPanels<TSimd, TFloat, TInt, TFormat> : FormatKernels
    where TSimd : struct, ISimd<TFloat, TInt>
    where TFloat : unmanaged
    where TInt : unmanaged
    where TFormat : struct, IIntegerFormat
{
    // Rows that go through all panels of a range before the next do: they stay in the second-level cache, as do the panels.
    private const int RowsAtATime = 96;

    // Up to this many rows go one by one: cheaper than a tile that they do not fill.
    private const int RowsAlone = 2;

    // Vectors of the largest tile.
    private const int LargestTile = 8;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override float* Singles(PackedMatrix m, int panel, int first, int count, float* widened)
    {
        TInt levels = IntegerGroup<TSimd, TFloat, TInt, TFormat>.Levels();
        float* destination = widened;
        int end = (first + count) / PanelLayout.GroupInputs;
        for (int group = first / PanelLayout.GroupInputs; group < end; group++, destination += PanelLayout.GroupInputs * TSimd.Lanes)
        {
            (int index, int place) = Math.DivRem(group, IntegerGroup<TSimd, TFloat, TInt, TFormat>.BlockGroups);
            byte* block = m.Panel(panel) + ((nint)index * m.Layout.BlockBytes(TSimd.Lanes));
            byte* start = block + (place * IntegerGroup<TSimd, TFloat, TInt, TFormat>.GroupBytes);
            TFloat blockScale = IntegerGroup<TSimd, TFloat, TInt, TFormat>.BlockScale(block);
            TFloat blockMinimum = IntegerGroup<TSimd, TFloat, TInt, TFormat>.BlockMinimum(block);
            TFloat lowerScale = IntegerGroup<TSimd, TFloat, TInt, TFormat>.Scale(start, 0, blockScale);
            TFloat upperScale = IntegerGroup<TSimd, TFloat, TInt, TFormat>.Scale(start, 1, blockScale);
            TFloat lowerMinimum = IntegerGroup<TSimd, TFloat, TInt, TFormat>.Minimum(start, 0, blockMinimum);
            TFloat upperMinimum = IntegerGroup<TSimd, TFloat, TInt, TFormat>.Minimum(start, 1, blockMinimum);
            for (int g = 0; g < 4; g++)
            {
                IntegerGroup<TSimd, TFloat, TInt, TFormat>.Codes(start, g, levels, out TInt lower, out TInt upper);
                WidenFour(lower, lowerScale, lowerMinimum, destination + (4 * g * TSimd.Lanes));
                WidenFour(upper, upperScale, upperMinimum, destination + (((4 * g) + 16) * TSimd.Lanes));
            }
        }

        return widened;
    }

    public override void MultiplyIntegers(PackedMatrix m, ActivationBlock* x, int rowCount, in TileTarget target)
    {
        long groups = m.Inputs / PanelLayout.GroupInputs;
        for (int row = 0; row < rowCount; row += RowsAtATime)
        {
            int rows = Math.Min(RowsAtATime, rowCount - row);
            MultiplyFewRows(m, x + (row * groups), rows, target with { Rows = target.Rows.Slice(row, rows) });
        }
    }

    // A tile at an edge is computed whole, rows and panels beyond the last repeating it, and written in part.
    [SkipLocalsInit]
    private static void MultiplyFewRows(PackedMatrix m, ActivationBlock* x, int rowCount, in TileTarget target)
    {
        float* tile = stackalloc float[LargestTile * TSimd.Lanes];
        int last = (target.End - 1) / TSimd.Lanes;
        int groups = m.Inputs / PanelLayout.GroupInputs;
        for (int panel = target.First / TSimd.Lanes; panel <= last; panel += 2)
        {
            byte* w0 = m.Panel(panel);
            byte* w1 = m.Panel(Math.Min(panel + 1, last));

            // The next panels come from memory while these are multiplied, some with every tile.
            byte* next = m.Panel(Math.Min(panel + 2, last));
            long nextBytes = Math.Min(2, last - panel - 1) * m.PanelBytes;
            int row = 0;
            for (; rowCount - row > RowsAlone; row += 4)
            {
                NativeBuffer.Prefetch(next + (nextBytes * row / rowCount), (nextBytes * 4 / rowCount) + 1);
                ActivationBlock* x0 = x + ((long)row * groups);
                ActivationBlock* x3 = x0 + (Math.Min(3, rowCount - row - 1) * (long)groups);
                IntegerTile<TSimd, TFloat, TInt, TFormat>.FourRowsByTwoPanels(w0, w1, groups, x0, x0 + groups, x0 + (2L * groups), x3, tile);
                TileWriting<TSimd, TFloat, TInt>.Write(target, row, Math.Min(4, rowCount - row), panel, Math.Min(2, last - panel + 1), tile, 2);
            }

            for (; row < rowCount; row++)
            {
                IntegerTile<TSimd, TFloat, TInt, TFormat>.RowByTwoPanels(w0, w1, groups, x + ((long)row * groups), tile);
                TileWriting<TSimd, TFloat, TInt>.Write(target, row, 1, panel, Math.Min(2, last - panel + 1), tile, 2);
            }
        }
    }

    // A group's four inputs of each lane, one a byte.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WidenFour(TInt codes, TFloat scale, TFloat minimum, float* destination)
    {
        TInt mask = TSimd.BroadcastInt(255);
        Widen(TSimd.And(codes, mask), scale, minimum, destination);
        Widen(TSimd.And(TSimd.ShiftRight(codes, 8), mask), scale, minimum, destination + TSimd.Lanes);
        Widen(TSimd.And(TSimd.ShiftRight(codes, 16), mask), scale, minimum, destination + (2 * TSimd.Lanes));
        Widen(TSimd.ShiftRight(codes, 24), scale, minimum, destination + (3 * TSimd.Lanes));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Widen(TInt code, TFloat scale, TFloat minimum, float* destination)
    {
        if (!TFormat.HasMinimum)
        {
            code = TSimd.AddInts(code, TSimd.BroadcastInt(-(1 << IntegerGroup<TSimd, TFloat, TInt, TFormat>.ZeroShift)));
        }

        TFloat value = TSimd.Multiply(scale, TSimd.ToFloat(code));
        TSimd.Store(TFormat.HasMinimum ? TSimd.Add(value, minimum) : value, destination);
    }
}
