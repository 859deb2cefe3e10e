using LoraServe.Compute.Vectors;

namespace LoraServe.Compute.Kernels.Panels;

/// <summary>Brings a tile of results to where they belong.</summary>
internal static unsafe class TileWriting<TSimd, TFloat, TInt>
    where TSimd : struct, ISimd<TFloat, TInt>
    where TFloat : unmanaged
    where TInt : unmanaged
{
    /// <summary>Tile rows are tilePanels · lanes long; of them, the first panelCount panels hold results.</summary>
    public static void Write(in TileTarget target, int firstRow, int rowCount, int panel, int panelCount, float* tile, int tilePanels)
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
