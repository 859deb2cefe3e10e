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
    public override float* Singles(byte* panel, int outputs, int inputs, float* widened)
    {
        float* destination = widened;
        int bits = TFormat.IsNibbles ? 4 : 8;
        TInt mask = TSimd.BroadcastInt((1 << bits) - 1);
        TInt negativeZero = TSimd.BroadcastInt(TFormat.HasMinimum ? 0 : -(1 << (bits - 1)));
        for (int block = 0; block < inputs / PanelLayout.BlockInputs; block++)
        {
            int codeBytes = PanelLayout.BlockInputs * bits / 8 * TSimd.Lanes;
            TFloat scale = TSimd.LoadHalves((ushort*)(panel + codeBytes));
            TFloat minimum = TFormat.HasMinimum ? TSimd.LoadHalves((ushort*)(panel + codeBytes) + TSimd.Lanes) : default;

            // Four consecutive inputs are the bytes of a group's lanes; of nibbles, the low ones are the first half of the block.
            for (int half = 0; half < 8; half += bits)
            {
                for (int group = 0; group < bits; group++)
                {
                    TInt codes = TSimd.LoadBytes(panel + (group * 4 * TSimd.Lanes));
                    for (int shift = half; shift < 32; shift += 8, destination += TSimd.Lanes)
                    {
                        TInt code = TSimd.And(TSimd.ShiftRight(codes, shift), mask);
                        TFloat value = TSimd.Multiply(scale, TSimd.ToFloat(TSimd.AddInts(code, negativeZero)));
                        TSimd.Store(TFormat.HasMinimum ? TSimd.Add(value, minimum) : value, destination);
                    }
                }
            }

            panel += codeBytes + ((TFormat.HasMinimum ? 4 : 2) * TSimd.Lanes);
        }

        return widened;
    }

    public override void MultiplyIntegers(PackedMatrix m, ActivationBlock* x, int rowCount, in TileTarget target)
    {
        long blocks = m.Inputs / PanelLayout.BlockInputs;
        for (int row = 0; row < rowCount; row += RowsAtATime)
        {
            int rows = Math.Min(RowsAtATime, rowCount - row);
            MultiplyFewRows(m, x + (row * blocks), rows, target with { Rows = target.Rows.Slice(row, rows) });
        }
    }

    // A tile at an edge is computed whole, rows and panels beyond the last repeating it, and written in part.
    [SkipLocalsInit]
    private static void MultiplyFewRows(PackedMatrix m, ActivationBlock* x, int rowCount, in TileTarget target)
    {
        float* tile = stackalloc float[LargestTile * TSimd.Lanes];
        int last = (target.End - 1) / TSimd.Lanes;
        int blocks = m.Inputs / PanelLayout.BlockInputs;
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
                ActivationBlock* x0 = x + ((long)row * blocks);
                ActivationBlock* x3 = x0 + (Math.Min(3, rowCount - row - 1) * (long)blocks);
                IntegerTile<TSimd, TFloat, TInt, TFormat>.FourRowsByTwoPanels(w0, w1, blocks, x0, x0 + blocks, x0 + (2L * blocks), x3, tile);
                TileWriting<TSimd, TFloat, TInt>.Write(target, row, Math.Min(4, rowCount - row), panel, Math.Min(2, last - panel + 1), tile, 2);
            }

            for (; row < rowCount; row++)
            {
                IntegerTile<TSimd, TFloat, TInt, TFormat>.RowByTwoPanels(w0, w1, blocks, x + ((long)row * blocks), tile);
                TileWriting<TSimd, TFloat, TInt>.Write(target, row, 1, panel, Math.Min(2, last - panel + 1), tile, 2);
            }
        }
    }
}
