using System.Runtime.ExceptionServices;
using LoraServe.Models.Config;

namespace LoraServe.Models.Conversion;

/// <summary>The rows of a stored matrix as the new file has them: widened, in its order, finite; several at once.</summary>
/// <param name="model">What messages call the model.</param>
/// <param name="tensor">The matrix.</param>
/// <param name="workers">Threads that read.</param>
internal sealed class MatrixRows(string model, TensorToEncode tensor, int workers)
{
    private const int StretchValues = 4 << 20;

    /// <summary>Number of rows.</summary>
    public long Count { get; } = tensor.Stored.RowCount;

    /// <summary>Elements of a row.</summary>
    public int Width { get; } = checked((int)tensor.Stored.RowLength);

    /// <summary>Threads that read.</summary>
    public int Workers => workers;

    /// <summary>Takes rows on several threads; of what is refused the first is thrown as it was.</summary>
    /// <param name="first">The first row.</param>
    /// <param name="count">How many.</param>
    /// <param name="take">Gets the place of a row among these, and its values while it runs.</param>
    /// <exception cref="ModelFormatException">A value is not finite.</exception>
    public void Read(long first, int count, Action<int, float[]> take)
    {
        try
        {
            Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = workers }, () => new float[Width], (i, _, values) =>
            {
                long row = first + i;
                tensor.Stored.CopyRow(tensor.Order.Length == 0 ? row : tensor.Order[row], values);
                Check(row, values);
                take(i, values);
                return values;
            }, _ => { });
        }
        catch (AggregateException several) when (several.InnerExceptions[0] is ModelFormatException)
        {
            ExceptionDispatchInfo.Throw(several.InnerExceptions[0]);
        }
    }

    /// <summary>Takes the flattened matrix a part at a time.</summary>
    /// <param name="blockSize">The number of values of every part but the last is a multiple of it.</param>
    /// <param name="take">Gets the values.</param>
    /// <exception cref="ModelFormatException">A value is not finite.</exception>
    public void ForEachStretch(int blockSize, Action<float[]> take)
    {
        long stretch = Math.Max(StretchValues / ((long)Width * blockSize), 1) * blockSize;
        for (long first = 0; first < Count; first += stretch)
        {
            int count = (int)Math.Min(stretch, Count - first);
            float[] flat = new float[(long)count * Width];
            Read(first, count, (i, values) => values.CopyTo(flat, (long)i * Width));
            take(flat);
        }
    }

    private void Check(long row, float[] values)
    {
        int bad = Array.FindIndex(values, value => !float.IsFinite(value));
        if (bad >= 0)
        {
            throw new ModelFormatException(model, FormattableString.Invariant($"tensor {tensor.Stored} has {values[bad]} in row {row}, column {bad}; expected finite numbers"));
        }
    }
}
