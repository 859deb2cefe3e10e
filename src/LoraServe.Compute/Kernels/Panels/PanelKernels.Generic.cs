using System.Runtime.CompilerServices;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Tensors;
using LoraServe.Compute.Vectors;

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

    // Up to this many rows go one by one: cheaper than widening panels first.
    private const int RowsAlone = 2;

    // In the order of PanelFormat.
    private static readonly FormatKernels[] s_formats =
    [
        new FloatPanels<TSimd, TFloat, TInt, SingleFormat>(),
        new FloatPanels<TSimd, TFloat, TInt, HalfFormat>(),
        new FloatPanels<TSimd, TFloat, TInt, BFloatFormat>(),
        new IntegerPanels<TSimd, TFloat, TInt, NibbleFormat>(),
        new IntegerPanels<TSimd, TFloat, TInt, NibbleWithMinimumFormat>(),
        new IntegerPanels<TSimd, TFloat, TInt, ByteFormat>(),
        new IntegerPanels<TSimd, TFloat, TInt, FiveBitFormat>(),
        new IntegerPanels<TSimd, TFloat, TInt, FiveBitWithMinimumFormat>(),
        new IntegerPanels<TSimd, TFloat, TInt, K2Format>(),
        new IntegerPanels<TSimd, TFloat, TInt, K3Format>(),
        new IntegerPanels<TSimd, TFloat, TInt, K4Format>(),
        new IntegerPanels<TSimd, TFloat, TInt, K5Format>(),
        new IntegerPanels<TSimd, TFloat, TInt, K6Format>(),
        new IntegerPanels<TSimd, TFloat, TInt, Iq4Format>(),
        new IntegerPanels<TSimd, TFloat, TInt, Iq4WithFactorsFormat>(),
        new LevelPanels<TSimd, TFloat, TInt>(),
        new RowPanels<TSimd, TFloat, TInt>(),
    ];

    public override int Lanes => TSimd.Lanes;

    /// <summary>The kernels of a matrix's format.</summary>
    public static FormatKernels FormatOf(PackedMatrix m) => s_formats[(int)m.Format];

    public override void MultiplyFloats(PackedMatrix m, Rows x, in TileTarget target)
    {
        if (m.Layout.Element is ElementType.F32 && m.PanelCount <= NarrowPanels)
        {
            MultiplyNarrow(m, x, target);
        }
        else if (x.Count > RowsAlone || !FormatOf(m).MultiplyEachRow(m, x, target))
        {
            MultiplyRows(m, x, target);
        }
    }

    public override void MultiplyIntegers(PackedMatrix m, ActivationBlock* x, int rowCount, in TileTarget target) =>
        FormatOf(m).MultiplyIntegers(m, x, rowCount, target);

    public override void MultiplyAdd(in GemmOperand a, in GemmOperand b, Rows c, float scale, bool adds, GemmPiece piece) =>
        GemmLoops<TSimd, TFloat, TInt>.Run(a, b, c, scale, adds, piece);

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
                TileWriting<TSimd, TFloat, TInt>.Write(target, row, rows, panel, 1, tile, 1);
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
                    TileWriting<TSimd, TFloat, TInt>.Write(target, row, Math.Min(6, x.Count - row), panel, Math.Min(2, last - panel + 1), tile, 2);
                }
            }
        }
    }

    private static float* Singles(PackedMatrix m, int panel, float* widened) => FormatOf(m).Singles(m, panel, 0, m.Inputs, widened);
}
