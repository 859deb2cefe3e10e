using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Vectors;

namespace LoraServe.Compute.Kernels.Panels;

/// <summary>Brings blocks of a <see cref="Gemm"/>'s factors into the order in which its tiles read them.</summary>
internal static unsafe class GemmPacking<TSimd, TFloat, TInt>
    where TSimd : struct, ISimd<TFloat, TInt>
    where TFloat : unmanaged
    where TInt : unmanaged
{
    /// <summary>Inputs of a packed matrix that are widened at a time: they stay in the first-level cache.</summary>
    public const int InputsAtATime = 64;

    // Columns that are copied together: long enough for whole pages of the source, few enough places to write to.
    private const int ColumnsAtATime = 128;

    private const int TileRows = GemmTile<TSimd, TFloat, TInt>.Rows;

    /// <summary>Columns of a tile.</summary>
    public static int TileColumns => 2 * TSimd.Lanes;

    /// <summary>Floats that <see cref="PackRows"/> may write.</summary>
    public static int RowFloats(int rows, int depth) => ((rows + TSimd.Lanes) * depth) + (((rows / TileRows) + 1) * VectorMath.Lanes);

    /// <summary>Says where the rows of a block of a left factor lie, copying it if it does not lie well as it is.</summary>
    /// <param name="a">The factor.</param>
    /// <param name="row">First row; for a packed matrix a multiple of its lanes.</param>
    /// <param name="rowCount">Number of rows.</param>
    /// <param name="inner">First inner index, a multiple of 32.</param>
    /// <param name="depth">Number of inner indices.</param>
    /// <param name="packed">Memory of <see cref="RowFloats"/>.</param>
    /// <param name="rows">The rows' first elements; the last is repeated for a whole tile more.</param>
    /// <returns>Floats from one element of a row to the next.</returns>
    public static int PackRows(in GemmOperand a, int row, int rowCount, int inner, int depth, float* packed, float** rows)
    {
        int step;
        if (a.Matrix is { } matrix)
        {
            step = TSimd.Lanes;
            for (int r = 0; r < rowCount; r += TSimd.Lanes)
            {
                float* panel = packed + ((nint)r * depth);
                float* values = Widen(matrix, (row + r) / TSimd.Lanes, inner, depth, panel);
                for (int lane = 0; lane < Math.Min(TSimd.Lanes, rowCount - r); lane++)
                {
                    rows[r + lane] = values + lane;
                }
            }
        }
        else if (a.IsTransposed)
        {
            step = TileRows;
            PackStrips(a.Stored.Slice(inner, depth), row, rowCount, packed);
            for (int r = 0; r < rowCount; r++)
            {
                rows[r] = packed + ((r / TileRows) * StripFloats(depth)) + (r % TileRows);
            }
        }
        else
        {
            step = 1;
            for (int r = 0; r < rowCount; r++)
            {
                rows[r] = a.Stored[row + r] + inner;
            }
        }

        for (int r = 0; r < GemmTile<TSimd, TFloat, TInt>.NarrowRows; r++)
        {
            rows[rowCount + r] = rows[rowCount - 1];
        }

        return step;
    }

    /// <summary>Copies a block of a right factor into panels of <see cref="TileColumns"/> columns, each [padded depth, columns].</summary>
    /// <param name="b">The factor.</param>
    /// <param name="inner">First inner index, a multiple of the lanes.</param>
    /// <param name="depth">Number of inner indices.</param>
    /// <param name="paddedDepth">Inner indices that a panel has room for: depth rounded up to the lanes.</param>
    /// <param name="column">First column.</param>
    /// <param name="columnCount">Number of columns.</param>
    /// <param name="packed">The panels.</param>
    /// <param name="widened">Memory of <see cref="InputsAtATime"/> · lanes floats.</param>
    public static void PackColumns(in GemmOperand b, int inner, int depth, int paddedDepth, int column, int columnCount, float* packed, float* widened)
    {
        int panels = (columnCount + TileColumns - 1) / TileColumns;
        if (columnCount % TileColumns != 0)
        {
            new Span<float>(packed + ((nint)(panels - 1) * paddedDepth * TileColumns), paddedDepth * TileColumns).Clear();
        }

        if (b.Matrix is { } matrix)
        {
            for (int k = 0; k < depth; k += TSimd.Lanes)
            {
                PackPanel(matrix, (inner + k) / TSimd.Lanes, column, columnCount, packed + ((nint)k * TileColumns), paddedDepth * TileColumns, widened);
            }
        }
        else if (b.IsTransposed)
        {
            for (int n = 0; n < columnCount; n += 4)
            {
                float* panel = packed + ((nint)(n / TileColumns) * paddedDepth * TileColumns) + (n % TileColumns);
                TransposeRows(b.Stored, column + n, Math.Min(4, columnCount - n), inner, depth, panel);
            }
        }
        else
        {
            for (int n = 0; n < columnCount; n += ColumnsAtATime)
            {
                CopyRows(b.Stored.Slice(inner, depth).Columns(column + n, Math.Min(ColumnsAtATime, columnCount - n)), packed + ((nint)n * paddedDepth), paddedDepth * TileColumns);
            }
        }
    }

    private static nint StripFloats(int depth) => ((nint)depth * TileRows) + VectorMath.Lanes;

    // The values of inputs [first, first + count) of a panel, [input][lane]: where they are, or widened into memory that is lent.
    private static float* Widen(PackedMatrix matrix, int panel, int first, int count, float* destination) =>
        PanelKernels<TSimd, TFloat, TInt>.FormatOf(matrix).Singles(matrix, panel, first, count, destination);

    // Strip s holds columns 6s … 6s + 5, [depth, 6].
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PackStrips(Rows source, int column, int columnCount, float* packed)
    {
        nint stripFloats = StripFloats(source.Count);
        for (int k = 0; k < source.Count; k++)
        {
            float* from = source[k] + column;
            float* to = packed + ((nint)k * TileRows);
            int n = 0;
            for (; n < columnCount && column + n + VectorMath.Lanes <= source.Width; n += TileRows, to += stripFloats)
            {
                // Two more than the strip has: the next inner index, or the gap between strips, takes their place.
                Vector256.Store(Vector256.Load(from + n), to);
            }

            for (; n < columnCount; n += TileRows, to += stripFloats)
            {
                for (int i = 0; i < Math.Min(TileRows, columnCount - n); i++)
                {
                    to[i] = from[n + i];
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void CopyRows(Rows source, float* packed, nint panelFloats)
    {
        int whole = source.Width / TileColumns * TileColumns;
        for (int k = 0; k < source.Count; k++, packed += TileColumns)
        {
            float* from = source[k];
            float* to = packed;
            int n = 0;
            for (; n < whole; n += TileColumns, to += panelFloats)
            {
                TSimd.Store(TSimd.Load(from + n), to);
                TSimd.Store(TSimd.Load(from + n + TSimd.Lanes), to + TSimd.Lanes);
            }

            for (; n < source.Width; n++)
            {
                *to++ = from[n];
            }
        }
    }

    // One stored panel is as many inner indices as it has lanes, along the columns.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PackPanel(PackedMatrix matrix, int panel, int column, int columnCount, float* packed, nint panelFloats, float* widened)
    {
        for (int n = 0; n < columnCount; n += InputsAtATime)
        {
            int count = Math.Min(InputsAtATime, columnCount - n);

            // The last piece of a matrix ends with its last group; a piece in the middle begins and ends with whole groups.
            float* values = Widen(matrix, panel, column + n, count, widened);
            int i = 0;
            for (; i + 4 <= count; i += 4)
            {
                float* to = packed + ((n + i) / TileColumns * panelFloats) + ((n + i) % TileColumns);
                for (int lane = 0; lane < TSimd.Lanes; lane += 4)
                {
                    Transpose(values + (i * TSimd.Lanes) + lane, TSimd.Lanes, to + (lane * TileColumns), TileColumns);
                }
            }

            for (; i < count; i++)
            {
                float* to = packed + ((n + i) / TileColumns * panelFloats) + ((n + i) % TileColumns);
                for (int lane = 0; lane < TSimd.Lanes; lane++)
                {
                    to[lane * TileColumns] = values[(i * TSimd.Lanes) + lane];
                }
            }
        }
    }

    // Up to four rows become as many columns of a panel.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransposeRows(Rows source, int row, int rowCount, int inner, int depth, float* panel)
    {
        int k = 0;
        if (rowCount == 4)
        {
            for (; k + 4 <= depth; k += 4)
            {
                Transpose(source[row] + inner + k, source.Stride, panel + ((nint)k * TileColumns), TileColumns);
            }
        }

        for (; k < depth; k++)
        {
            for (int r = 0; r < rowCount; r++)
            {
                panel[((nint)k * TileColumns) + r] = source[row + r][inner + k];
            }
        }
    }

    /// <summary>to[j][i] = from[i][j], 4 × 4.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Transpose(float* from, nint fromStride, float* to, nint toStride)
    {
        Vector128<float> a = Vector128.Load(from);
        Vector128<float> b = Vector128.Load(from + fromStride);
        Vector128<float> c = Vector128.Load(from + (2 * fromStride));
        Vector128<float> d = Vector128.Load(from + (3 * fromStride));
        Vector128<float> ac01 = VectorMath.InterleaveLower(a, c);
        Vector128<float> ac23 = VectorMath.InterleaveUpper(a, c);
        Vector128<float> bd01 = VectorMath.InterleaveLower(b, d);
        Vector128<float> bd23 = VectorMath.InterleaveUpper(b, d);
        VectorMath.InterleaveLower(ac01, bd01).Store(to);
        VectorMath.InterleaveUpper(ac01, bd01).Store(to + toStride);
        VectorMath.InterleaveLower(ac23, bd23).Store(to + (2 * toStride));
        VectorMath.InterleaveUpper(ac23, bd23).Store(to + (3 * toStride));
    }
}
