using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters.LinearAlgebra;

/// <summary>Brings a low-rank pair to another rank and scale.</summary>
internal static class RankChange
{
    private const double Dependent = 1e-10;

    /// <summary>The pair at a rank: the same change where the rank is not smaller, else the nearest one in the Frobenius norm.</summary>
    /// <param name="pair">The pair.</param>
    /// <param name="rank">The rank wanted, at least 1.</param>
    /// <param name="scale">The scale wanted, not 0; B makes up for the difference.</param>
    /// <param name="fresh">A of a new pair of that rank, whose last rows fill up A, so that training can use them; null for zeros. Their part of B is zero.</param>
    public static LowRank To(LowRank pair, int rank, float scale, FloatMatrix? fresh = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rank);
        ArgumentOutOfRangeException.ThrowIfZero(scale);
        (FloatMatrix a, FloatMatrix b) = pair.Rank > rank ? Truncate(pair, rank) : (pair.A, pair.B);
        var wideA = new FloatMatrix(rank, a.Columns);
        fresh?.Values.CopyTo(wideA.Values, 0);
        a.Values.CopyTo(wideA.Values, 0);
        var wideB = new FloatMatrix(b.Rows, rank);
        for (int row = 0; row < b.Rows; row++)
        {
            TensorPrimitives.Multiply(b.Row(row), pair.Scale / scale, wideB.Row(row)[..b.Columns]);
        }

        return new LowRank(pair.Site, wideA, wideB, scale);
    }

    /// <summary>A pair of a higher rank that computes the same: bit for bit where the scale stays, else but for the rounding of B.</summary>
    /// <param name="pair">The pair.</param>
    /// <param name="rank">The rank to come; at least the pair's.</param>
    /// <param name="seed">What the new rows of A are drawn from: uniform within ±1/√inputs, as at the start.</param>
    /// <param name="scale">
    /// The scale to come: of a method that divides a fixed alpha by the rank, the new quotient, for which B's columns make up.
    /// Null to keep the scale, so that alpha grows with the rank.
    /// </param>
    /// <exception cref="ArgumentException">The rank is lower, or the scale is 0 or not finite.</exception>
    public static LowRank Grow(LowRank pair, int rank, int seed, float? scale = null)
    {
        float next = scale ?? pair.Scale;
        if (rank < pair.Rank)
        {
            throw new ArgumentException($"The rank is {rank}; expected at least the pair's, {pair.Rank}.", nameof(rank));
        }

        if (!float.IsFinite(next) || (next == 0 && pair.Scale != 0))
        {
            throw new ArgumentException($"The scale is {next}; expected a finite one other than 0.", nameof(scale));
        }

        var random = new Random(seed);
        float bound = 1 / MathF.Sqrt(pair.A.Columns);
        var a = new FloatMatrix(rank, pair.A.Columns);
        pair.A.Values.CopyTo(a.Values, 0);
        for (int i = pair.A.Values.Length; i < a.Values.Length; i++)
        {
            a.Values[i] = ((random.NextSingle() * 2) - 1) * bound;
        }

        var b = new FloatMatrix(pair.B.Rows, rank);
        double factor = next == pair.Scale ? 1 : (double)pair.Scale / next;
        for (int row = 0; row < b.Rows; row++)
        {
            for (int k = 0; k < pair.Rank; k++)
            {
                b.Row(row)[k] = (float)(pair.B.Row(row)[k] * factor);
            }
        }

        return new LowRank(pair.Site, a, b, next);
    }

    // With A = C·Q and B = P·D, the rows of Q and the columns of P orthonormal, the product has the singular values of the small D·C.
    private static (FloatMatrix A, FloatMatrix B) Truncate(LowRank pair, int rank)
    {
        (List<double[]> q, double[][] c) = Orthonormal(pair.A);
        (List<double[]> p, double[][] d) = Orthonormal(pair.B.Transposed());
        var core = new FloatMatrix(p.Count, q.Count);
        for (int k = 0; k < pair.Rank; k++)
        {
            for (int i = 0; i < p.Count; i++)
            {
                for (int j = 0; j < q.Count; j++)
                {
                    core.Row(i)[j] += (float)(d[k][i] * c[k][j]);
                }
            }
        }

        if (p.Count == 0 || q.Count == 0)
        {
            return (new FloatMatrix(0, pair.A.Columns), new FloatMatrix(pair.B.Rows, 0));
        }

        TruncatedSvd svd = TruncatedSvd.Of(core, rank);
        var a = new FloatMatrix(svd.Values.Count, pair.A.Columns);
        var b = new FloatMatrix(pair.B.Rows, svd.Values.Count);
        for (int k = 0; k < a.Rows; k++)
        {
            Combine(q, svd.Right.Row(k)).CopyTo(a.Row(k));
            float[] column = Combine(p, [.. Enumerable.Range(0, p.Count).Select(i => svd.ScaledLeft.Row(i)[k])]);
            for (int row = 0; row < b.Rows; row++)
            {
                b.Row(row)[k] = column[row];
            }
        }

        return (a, b);
    }

    /// <summary>Gram and Schmidt, twice for accuracy: an orthonormal basis of the rows, and each row's coefficients.</summary>
    private static (List<double[]> Basis, double[][] Coefficients) Orthonormal(FloatMatrix matrix)
    {
        var basis = new List<double[]>();
        double[][] coefficients = new double[matrix.Rows][];
        for (int k = 0; k < matrix.Rows; k++)
        {
            double[] row = new double[matrix.Columns];
            TensorPrimitives.ConvertTruncating<float, double>(matrix.Row(k), row);
            double length = TensorPrimitives.Norm<double>(row);
            coefficients[k] = new double[matrix.Rows];
            for (int pass = 0; pass < 2; pass++)
            {
                for (int i = 0; i < basis.Count; i++)
                {
                    double along = TensorPrimitives.Dot<double>(basis[i], row);
                    coefficients[k][i] += along;
                    TensorPrimitives.MultiplyAdd(basis[i], -along, row, row);
                }
            }

            double left = TensorPrimitives.Norm<double>(row);
            if (left > Dependent * length)
            {
                coefficients[k][basis.Count] = left;
                TensorPrimitives.Divide(row, left, row);
                basis.Add(row);
            }
        }

        return (basis, coefficients);
    }

    private static float[] Combine(List<double[]> basis, ReadOnlySpan<float> weights)
    {
        double[] sum = new double[basis[0].Length];
        for (int i = 0; i < basis.Count; i++)
        {
            TensorPrimitives.MultiplyAdd(basis[i], weights[i], sum, sum);
        }

        return Array.ConvertAll(sum, value => (float)value);
    }
}
