using System.Runtime.CompilerServices;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Vectors;

namespace LoraServe.Compute.Kernels.Panels;

/// <summary>The loops around a <see cref="GemmTile{TSimd, TFloat, TInt}"/>, which keep what is read again in the cache that holds it.</summary>
/// <remarks>
/// Inner indices go by blocks of <see cref="Depth"/>, and each block's sum is added to c by itself, in ascending order. A panel of the
/// right factor (16 KiB) stays in the first-level cache for all rows of a block (96 KiB, second level), and the
/// block of the right factor for all rows.
/// </remarks>
internal static unsafe class GemmLoops<TSimd, TFloat, TInt>
    where TSimd : struct, ISimd<TFloat, TInt>
    where TFloat : unmanaged
    where TInt : unmanaged
{
    // The one constant that results depend on. A multiple of every block and vector width.
    private const int Depth = 256;

    private const int RowsAtATime = 2 * GemmPiece.RowUnit;
    private const int ColumnsAtATime = 1024;
    private const int TileRows = GemmTile<TSimd, TFloat, TInt>.Rows;
    private const int TwiceFewRows = 2 * GemmTile<TSimd, TFloat, TInt>.FewRows;

    // Up to this many rows copying the right factor costs more than its scattered reads.
    private const int RowsWithoutCopy = 24;

    private static int TileColumns => 2 * TSimd.Lanes;

    public static void Run(in GemmOperand a, in GemmOperand b, Rows c, float scale, bool adds, GemmPiece piece)
    {
        if (a.Columns == 0)
        {
            for (int row = adds ? piece.RowEnd : piece.Row; row < piece.RowEnd; row++)
            {
                new Span<float>(c[row] + piece.Column, piece.ColumnEnd - piece.Column).Clear();
            }

            return;
        }

        int most = Math.Min(Depth, RoundUp(a.Columns, TSimd.Lanes));
        int rowFloats = GemmPacking<TSimd, TFloat, TInt>.RowFloats(Math.Min(RowsAtATime, piece.RowEnd - piece.Row), most);
        int columnFloats = RoundUp(Math.Min(ColumnsAtATime, piece.ColumnEnd - piece.Column), TileColumns) * most;
        int widenedFloats = GemmPacking<TSimd, TFloat, TInt>.InputsAtATime * TSimd.Lanes;
        float* packedColumns = (float*)WorkerScratch.Rent((columnFloats + rowFloats + widenedFloats) * sizeof(float));
        float* packedRows = packedColumns + columnFloats;
        float* widened = packedRows + rowFloats;
        bool copies = b.Matrix is not null || b.IsTransposed || piece.RowEnd - piece.Row > RowsWithoutCopy;
        for (int column = piece.Column; column < piece.ColumnEnd; column += ColumnsAtATime)
        {
            int columns = Math.Min(ColumnsAtATime, piece.ColumnEnd - column);
            int inPlace = copies ? 0 : columns / TileColumns * TileColumns;
            for (int inner = 0; inner < a.Columns; inner += Depth)
            {
                int depth = Math.Min(Depth, a.Columns - inner);
                int paddedDepth = RoundUp(depth, TSimd.Lanes);
                if (columns > inPlace)
                {
                    GemmPacking<TSimd, TFloat, TInt>.PackColumns(b, inner, depth, paddedDepth, column + inPlace, columns - inPlace, packedColumns, widened);
                }

                Rows read = inPlace == 0 ? default : b.Stored.Slice(inner, depth).Columns(column, inPlace);
                var panels = new Panels(read, packedColumns, paddedDepth * TileColumns);
                for (int row = piece.Row; row < piece.RowEnd; row += RowsAtATime)
                {
                    int rows = Math.Min(RowsAtATime, piece.RowEnd - row);
                    MultiplyBlock(a, row, inner, depth, packedRows, panels, c.Slice(row, rows).Columns(column, columns), scale, adds || inner > 0);
                }
            }
        }
    }

    // All rows of c with all of its columns, over one block of inner indices.
    [SkipLocalsInit]
    private static void MultiplyBlock(in GemmOperand a, int row, int inner, int depth, float* packedRows, in Panels panels, Rows c, float scale, bool adds)
    {
        float** rows = stackalloc float*[RowsAtATime + GemmTile<TSimd, TFloat, TInt>.NarrowRows];
        int rowStep = GemmPacking<TSimd, TFloat, TInt>.PackRows(a, row, c.Count, inner, depth, packedRows, rows);
        for (int column = 0; column < c.Width; column += TileColumns)
        {
            float* w = panels.At(column, out int wStep);
            MultiplyPanel(rows, rowStep, w, wStep, depth, c.Columns(column, Math.Min(TileColumns, c.Width - column)), scale, adds);
        }
    }

    [SkipLocalsInit]
    private static void MultiplyPanel(float** rows, int rowStep, float* w, int wStep, int depth, Rows c, float scale, bool adds)
    {
        int row = 0;
        for (; c.Width == TileColumns && c.Count - row > TwiceFewRows; row += TileRows)
        {
            GemmTile<TSimd, TFloat, TInt>.Run(rows + row, rowStep, w, wStep, depth, c[row], c.Stride, scale, adds);
        }

        float* tile = stackalloc float[TileRows * TileColumns];
        bool isNarrow = c.Width <= TSimd.Lanes;
        int width = isNarrow ? TSimd.Lanes : TileColumns;
        for (int tileRows; row < c.Count; row += tileRows)
        {
            // Seven or eight rows are two tiles of four.
            int left = c.Count - row;
            bool isFew = left <= GemmTile<TSimd, TFloat, TInt>.FewRows || (left > TileRows && left <= TwiceFewRows);
            tileRows = isNarrow ? GemmTile<TSimd, TFloat, TInt>.NarrowRows : isFew ? GemmTile<TSimd, TFloat, TInt>.FewRows : TileRows;

            // A tile at an edge is computed whole and written in part.
            bool isWhole = left >= tileRows && c.Width == width;
            float* to = isWhole ? c[row] : tile;
            int stride = isWhole ? c.Stride : width;
            float factor = isWhole ? scale : 1;
            if (isNarrow)
            {
                GemmTile<TSimd, TFloat, TInt>.RunNarrow(rows + row, rowStep, w, wStep, depth, to, stride, factor, isWhole && adds);
            }
            else if (isFew)
            {
                GemmTile<TSimd, TFloat, TInt>.RunFew(rows + row, rowStep, w, wStep, depth, to, stride, factor, isWhole && adds);
            }
            else
            {
                GemmTile<TSimd, TFloat, TInt>.Run(rows + row, rowStep, w, wStep, depth, to, stride, factor, isWhole && adds);
            }

            for (int r = 0; !isWhole && r < Math.Min(tileRows, left); r++)
            {
                Finish(tile + (r * width), c.Width, c[row + r], scale, adds);
            }
        }
    }

    // The roundings of a whole tile.
    private static void Finish(float* sums, int count, float* c, float scale, bool adds)
    {
        int i = 0;
        TFloat scales = TSimd.Broadcast(scale);
        for (; i + TSimd.Lanes <= count; i += TSimd.Lanes)
        {
            TFloat sum = TSimd.Load(sums + i);
            TSimd.Store(adds ? TSimd.MultiplyAdd(sum, scales, TSimd.Load(c + i)) : TSimd.Multiply(sum, scales), c + i);
        }

        for (; i < count; i++)
        {
            c[i] = adds ? float.MultiplyAddEstimate(sums[i], scale, c[i]) : sums[i] * scale;
        }
    }

    private static int RoundUp(int value, int unit) => (value + unit - 1) / unit * unit;

    /// <summary>A block of the right factor: columns that are read where they are, then panels of copied ones.</summary>
    private readonly struct Panels(Rows inPlace, float* packed, int panelFloats)
    {
        public float* At(int column, out int step)
        {
            bool isInPlace = column < inPlace.Width;
            step = isInPlace ? inPlace.Stride : TileColumns;
            return isInPlace ? inPlace[0] + column : packed + ((nint)((column - inPlace.Width) / TileColumns) * panelFloats);
        }
    }
}
