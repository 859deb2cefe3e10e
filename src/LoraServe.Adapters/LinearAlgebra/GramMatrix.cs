using System.Numerics;
using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters.LinearAlgebra;

/// <summary>Products of a matrix with its own transpose, in double.</summary>
internal static class GramMatrix
{
    // A block of all rows stays in the second-level cache while every pair of its rows is multiplied.
    private const int BlockColumns = 128;

    /// <summary>W·Wᵀ, [rows, rows]; the lower triangle alone is filled in.</summary>
    public static double[] OfRows(FloatMatrix matrix, CancellationToken cancellationToken = default)
    {
        int rows = matrix.Rows;
        double[] gram = new double[checked(rows * rows)];
        double[] block = new double[rows * BlockColumns];
        for (int first = 0; first < matrix.Columns; first += BlockColumns)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int width = Math.Min(BlockColumns, matrix.Columns - first);
            for (int row = 0; row < rows; row++)
            {
                Span<double> part = block.AsSpan(row * BlockColumns, BlockColumns);
                TensorPrimitives.ConvertTruncating<float, double>(matrix.Row(row).Slice(first, width), part);
                part[width..].Clear();
            }

            Accumulate(gram, block, rows);
        }

        return gram;
    }

    private static void Accumulate(double[] gram, double[] block, int rows)
    {
        for (int i = 0; i < rows; i++)
        {
            ReadOnlySpan<double> left = block.AsSpan(i * BlockColumns, BlockColumns);
            Span<double> sums = gram.AsSpan(i * rows, i + 1);
            int j = 0;
            for (; j + 4 <= sums.Length; j += 4)
            {
                AddDots(left, block.AsSpan(j * BlockColumns, 4 * BlockColumns), sums[j..]);
            }

            for (; j < sums.Length; j++)
            {
                sums[j] += TensorPrimitives.Dot(left, block.AsSpan(j * BlockColumns, BlockColumns));
            }
        }
    }

    /// <summary>Adds a row's products with four rows: each of its elements is loaded once for all.</summary>
    private static void AddDots(ReadOnlySpan<double> left, ReadOnlySpan<double> four, Span<double> sums)
    {
        Vector<double> sum0 = default;
        Vector<double> sum1 = default;
        Vector<double> sum2 = default;
        Vector<double> sum3 = default;
        for (int i = 0; i < BlockColumns; i += Vector<double>.Count)
        {
            var x = new Vector<double>(left[i..]);
            sum0 += x * new Vector<double>(four[i..]);
            sum1 += x * new Vector<double>(four[(BlockColumns + i)..]);
            sum2 += x * new Vector<double>(four[((2 * BlockColumns) + i)..]);
            sum3 += x * new Vector<double>(four[((3 * BlockColumns) + i)..]);
        }

        sums[0] += Vector.Sum(sum0);
        sums[1] += Vector.Sum(sum1);
        sums[2] += Vector.Sum(sum2);
        sums[3] += Vector.Sum(sum3);
    }
}
