using System.Runtime.CompilerServices;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Memory;

namespace LoraServe.Compute.Kernels.Panels;

/// <inheritdoc />
internal sealed unsafe class PanelKernels<TSimd, TFloat, TInt> : PanelKernels
    where TSimd : struct, ISimd<TFloat, TInt>
    where TFloat : unmanaged
    where TInt : unmanaged
{
    // Vectors of the largest tile.
    private const int LargestTile = 12;

    // The down projections of most adapters: up to rank 16 with 256-bit vectors.
    private const int NarrowPanels = 2;

    // Rows that go through all panels of a range before the next do: they stay in the second-level cache, as do the panels.
    private const int RowsAtATime = 96;

    // Up to this many rows go one by one: cheaper than a tile that they do not fill.
    private const int RowsAlone = 2;

    public override int Lanes => TSimd.Lanes;

    public override void MultiplyFloats(PackedMatrix m, Rows x, in TileTarget target)
    {
        if (m.Format is PanelFormat.F32 or PanelFormat.Rows && m.PanelCount <= NarrowPanels)
        {
            MultiplyNarrow(m, x, target);
            return;
        }

        switch (x.Count > RowsAlone ? null : (PanelFormat?)m.Format)
        {
            case PanelFormat.F32:
                MultiplyEachRow<SingleFormat>(m, x, target);
                break;
            case PanelFormat.F16:
                MultiplyEachRow<HalfFormat>(m, x, target);
                break;
            case PanelFormat.BF16:
                MultiplyEachRow<BFloatFormat>(m, x, target);
                break;
            default:
                MultiplyRows(m, x, target);
                break;
        }
    }

    public override void MultiplyIntegers(PackedMatrix m, ActivationBlock* x, int rowCount, in TileTarget target)
    {
        switch (m.Format)
        {
            case PanelFormat.U4:
                MultiplyBlocks<NibbleFormat>(m, x, rowCount, target);
                break;
            case PanelFormat.U4WithMinimum:
                MultiplyBlocks<NibbleWithMinimumFormat>(m, x, rowCount, target);
                break;
            default:
                MultiplyBlocks<ByteFormat>(m, x, rowCount, target);
                break;
        }
    }

    public override void MultiplyAdd(in GemmOperand a, in GemmOperand b, Rows c, float scale, bool adds, GemmPiece piece) =>
        GemmLoops<TSimd, TFloat, TInt>.Run(a, b, c, scale, adds, piece);

    private static void MultiplyBlocks<TFormat>(PackedMatrix m, ActivationBlock* x, int rowCount, in TileTarget target)
        where TFormat : struct, IIntegerFormat
    {
        long blocks = m.Inputs / PanelLayout.BlockInputs;
        for (int row = 0; row < rowCount; row += RowsAtATime)
        {
            int rows = Math.Min(RowsAtATime, rowCount - row);
            MultiplyFewBlocks<TFormat>(m, x + (row * blocks), rows, target with { Rows = target.Rows.Slice(row, rows) });
        }
    }

    [SkipLocalsInit]
    private static void MultiplyNarrow(PackedMatrix m, Rows x, in TileTarget target)
    {
        float* tile = stackalloc float[2 * TSimd.Lanes];
        int last = (target.End - 1) / TSimd.Lanes;
        float* widened = m.Format == PanelFormat.F32 ? null : (float*)WorkerScratch.Rent((long)m.Inputs * TSimd.Lanes * sizeof(float));
        for (int panel = target.First / TSimd.Lanes; panel <= last; panel++)
        {
            float* w = Singles(m, panel, widened);
            for (int row = 0; row < x.Count; row += 2)
            {
                int rows = Math.Min(2, x.Count - row);
                FloatTile<TSimd, TFloat, TInt>.TwoRowsInFourChains(w, m.Inputs, x[row], x[row + rows - 1], tile);
                Write(target, row, rows, panel, 1, tile, 1);
            }
        }
    }

    [SkipLocalsInit]
    private static void MultiplyEachRow<TFormat>(PackedMatrix m, Rows x, in TileTarget target)
        where TFormat : struct, IFloatFormat
    {
        float* tile = stackalloc float[4 * TSimd.Lanes];
        int last = (target.End - 1) / TSimd.Lanes;
        for (int panel = target.First / TSimd.Lanes; panel <= last; panel += 4)
        {
            for (int row = 0; row < x.Count; row++)
            {
                FloatTile<TSimd, TFloat, TInt>.RowByFourPanels<TFormat>(
                    m.Panel(panel), m.Panel(Math.Min(panel + 1, last)), m.Panel(Math.Min(panel + 2, last)), m.Panel(Math.Min(panel + 3, last)), m.Inputs, x[row], tile);
                Write(target, row, 1, panel, Math.Min(4, last - panel + 1), tile, 4);
            }
        }
    }

    // A tile at an edge is computed whole, rows and panels beyond the last repeating it, and written in part.
    [SkipLocalsInit]
    private static void MultiplyRows(PackedMatrix m, Rows x, in TileTarget target)
    {
        float* tile = stackalloc float[LargestTile * TSimd.Lanes];
        int last = (target.End - 1) / TSimd.Lanes;
        int panelFloats = m.Inputs * TSimd.Lanes;
        float* widened = m.Format == PanelFormat.F32 ? null : (float*)WorkerScratch.Rent(2L * panelFloats * sizeof(float));
        for (int panel = target.First / TSimd.Lanes; panel <= last; panel += 2)
        {
            float* w0 = Singles(m, panel, widened);
            float* w1 = Singles(m, Math.Min(panel + 1, last), widened + panelFloats);
            int column = panel * TSimd.Lanes;
            bool areWhole = column >= target.First && column + (2 * TSimd.Lanes) <= target.End;
            for (int row = 0; row < x.Count; row += 6)
            {
                int end = x.Count - 1;
                bool isWhole = areWhole && row + 5 <= end;
                FloatTile<TSimd, TFloat, TInt>.SixRowsByTwoPanels(
                    w0,
                    w1,
                    m.Inputs,
                    x[row],
                    x[Math.Min(row + 1, end)],
                    x[Math.Min(row + 2, end)],
                    x[Math.Min(row + 3, end)],
                    x[Math.Min(row + 4, end)],
                    x[Math.Min(row + 5, end)],
                    isWhole ? target.Rows[row] + column : tile,
                    isWhole ? target.Rows.Stride : 2 * TSimd.Lanes,
                    target.Scale,
                    isWhole && target.Adds);
                if (!isWhole)
                {
                    Write(target, row, Math.Min(6, x.Count - row), panel, Math.Min(2, last - panel + 1), tile, 2);
                }
            }
        }
    }

    [SkipLocalsInit]
    private static void MultiplyFewBlocks<TFormat>(PackedMatrix m, ActivationBlock* x, int rowCount, in TileTarget target)
        where TFormat : struct, IIntegerFormat
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
                Write(target, row, Math.Min(4, rowCount - row), panel, Math.Min(2, last - panel + 1), tile, 2);
            }

            for (; row < rowCount; row++)
            {
                IntegerTile<TSimd, TFloat, TInt, TFormat>.RowByTwoPanels(w0, w1, blocks, x + ((long)row * blocks), tile);
                Write(target, row, 1, panel, Math.Min(2, last - panel + 1), tile, 2);
            }
        }
    }

    // A panel as it is, or what it is in single precision, in memory that is lent.
    private static float* Singles(PackedMatrix m, int panel, float* widened)
    {
        byte* source = m.Panel(panel);
        switch (m.Format)
        {
            case PanelFormat.F32:
                return (float*)source;
            case PanelFormat.Rows:
                PanelWidening<TSimd, TFloat, TInt>.Interleave((float*)source, m.PanelOutputs(panel), m.Inputs, widened);
                return widened;
            default:
                PanelWidening<TSimd, TFloat, TInt>.Widen(m.Format, source, m.Inputs, widened);
                return widened;
        }
    }

    // Tile rows are tilePanels · lanes long; of them, the first panelCount panels hold results.
    private static void Write(in TileTarget target, int firstRow, int rowCount, int panel, int panelCount, float* tile, int tilePanels)
    {
        int column = panel * TSimd.Lanes;
        int first = Math.Max(target.First, column);
        int end = Math.Min(target.End, column + (panelCount * TSimd.Lanes));
        TFloat scale = TSimd.Broadcast(target.Scale);
        for (int row = 0; row < rowCount; row++)
        {
            float* source = tile + (row * tilePanels * TSimd.Lanes) - column;
            float* destination = target.Rows[firstRow + row];
            int c = first;
            for (; c + TSimd.Lanes <= end; c += TSimd.Lanes)
            {
                TFloat value = TSimd.Load(source + c);
                TSimd.Store(target.Adds ? TSimd.MultiplyAdd(value, scale, TSimd.Load(destination + c)) : value, destination + c);
            }

            for (; c < end; c++)
            {
                destination[c] = target.Adds ? float.MultiplyAddEstimate(source[c], target.Scale, destination[c]) : source[c];
            }
        }
    }
}
