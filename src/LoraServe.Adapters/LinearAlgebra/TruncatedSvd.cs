using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters.LinearAlgebra;

/// <summary>The greatest singular values of a matrix with their vectors: W ≈ U·S·Vᵀ.</summary>
/// <remarks>
/// Block Krylov iteration on WᵀW with full reorthogonalisation (Golub and Van Loan, Matrix Computations, 10.3), in double:
/// a few products with W where the values fall off. Where they do not, the eigenvectors of the smaller of WᵀW and WWᵀ.
/// </remarks>
public sealed class TruncatedSvd
{
    private const double Tolerance = 1e-9;
    private const double Dependent = 1e-10;

    private TruncatedSvd(FloatMatrix scaledLeft, FloatMatrix right, double[] values)
    {
        ScaledLeft = scaledLeft;
        Right = right;
        Values = values;
    }

    /// <summary>U·S, [rows, rank].</summary>
    public FloatMatrix ScaledLeft { get; }

    /// <summary>Vᵀ, [rank, columns].</summary>
    public FloatMatrix Right { get; }

    /// <summary>Singular values, descending.</summary>
    public IReadOnlyList<double> Values { get; }

    /// <summary>Finds the <paramref name="rank"/> greatest singular values; as many as there are where there are fewer.</summary>
    /// <param name="matrix">W.</param>
    /// <param name="rank">At least 1.</param>
    /// <param name="cancellationToken">Gives up between two rounds.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static TruncatedSvd Of(FloatMatrix matrix, int rank, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(matrix);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rank);
        int shorter = Math.Min(matrix.Rows, matrix.Columns);
        int wanted = Math.Min(rank, shorter);
        var basis = new List<double[]>();
        var images = new List<double[]>();
        List<double[]> block = StartBlock(matrix.Columns, Math.Min(matrix.Columns, wanted + 8));
        while (basis.Count + block.Count <= shorter / 3)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var fresh = new List<double[]>();
            foreach (double[] candidate in block)
            {
                if (Orthonormalize(candidate, basis))
                {
                    basis.Add(candidate);
                    fresh.Add(candidate);
                }
            }

            List<double[]> freshImages = Multiply(matrix, fresh);
            images.AddRange(freshImages);
            bool complete = fresh.Count == 0;
            block = complete ? [] : MultiplyTransposed(matrix, freshImages);
            if (TryExtract(matrix, basis, images, wanted, complete, cancellationToken) is { } found)
            {
                return found;
            }
        }

        return OfWhole(matrix, wanted, cancellationToken);
    }

    /// <summary>Forms WᵀW or WWᵀ: a fixed cost, less than that of a basis that grows long.</summary>
    private static TruncatedSvd OfWhole(FloatMatrix matrix, int rank, CancellationToken cancellationToken)
    {
        bool isFlat = matrix.Rows <= matrix.Columns;
        FloatMatrix flat = isFlat ? matrix : matrix.Transposed();
        (_, double[][] vectors) = SymmetricEigen.Leading(GramMatrix.OfRows(flat, cancellationToken), flat.Rows, rank, cancellationToken);
        List<double[]> images = MultiplyTransposed(flat, [.. vectors]);
        double[] values = [.. images.Select(image => TensorPrimitives.Norm<double>(image))];
        if (!isFlat)
        {
            return Assemble(matrix, [.. vectors], images, values);
        }

        for (int k = 0; k < rank; k++)
        {
            TensorPrimitives.Multiply(vectors[k], values[k], vectors[k]);
            if (values[k] > 0)
            {
                TensorPrimitives.Divide(images[k], values[k], images[k]);
            }
        }

        return Assemble(matrix, images, [.. vectors], values);
    }

    private static TruncatedSvd? TryExtract(FloatMatrix matrix, List<double[]> basis, List<double[]> images, int rank, bool complete, CancellationToken cancellationToken)
    {
        if (!complete && basis.Count < 2 * rank)
        {
            return null;
        }

        int size = basis.Count;
        double[] gram = new double[size * size];
        for (int i = 0; i < size; i++)
        {
            for (int j = 0; j <= i; j++)
            {
                gram[(i * size) + j] = TensorPrimitives.Dot<double>(images[i], images[j]);
            }
        }

        (double[] squares, double[][] weights) = SymmetricEigen.Leading(gram, size, Math.Min(rank, size), cancellationToken);
        double[] values = [.. squares.Select(square => Math.Sqrt(Math.Max(square, 0)))];
        List<double[]> rights = [.. weights.Select(vector => Combine(basis, vector, matrix.Columns))];
        List<double[]> lefts = [.. weights.Select(vector => Combine(images, vector, matrix.Rows))];
        return complete || HasConverged(matrix, rights, lefts, values) ? Assemble(matrix, rights, lefts, values) : null;
    }

    private static TruncatedSvd Assemble(FloatMatrix matrix, List<double[]> rights, List<double[]> scaledLefts, double[] values)
    {
        int rank = values.Length;
        var right = new FloatMatrix(rank, matrix.Columns);
        var scaledLeft = new FloatMatrix(matrix.Rows, rank);
        for (int k = 0; k < rank; k++)
        {
            TensorPrimitives.ConvertTruncating<double, float>(rights[k], right.Row(k));
            for (int row = 0; row < matrix.Rows; row++)
            {
                scaledLeft.Values[(row * rank) + k] = (float)scaledLefts[k][row];
            }
        }

        return new TruncatedSvd(scaledLeft, right, values);
    }

    private static bool HasConverged(FloatMatrix matrix, List<double[]> rights, List<double[]> lefts, double[] values)
    {
        double bound = Tolerance * values[0] * values[0];
        List<double[]> images = MultiplyTransposed(matrix, lefts);
        for (int k = 0; k < rights.Count; k++)
        {
            TensorPrimitives.MultiplyAdd(rights[k], -values[k] * values[k], images[k], images[k]);
            if (TensorPrimitives.Norm<double>(images[k]) > bound)
            {
                return false;
            }
        }

        return true;
    }

    private static double[] Combine(List<double[]> vectors, double[] weights, int length)
    {
        double[] sum = new double[length];
        for (int i = 0; i < vectors.Count; i++)
        {
            TensorPrimitives.MultiplyAdd(vectors[i], weights[i], sum, sum);
        }

        return sum;
    }

    private static List<double[]> StartBlock(int length, int count)
    {
        var random = new Random(20240229);
        return [.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, length).Select(_ => random.NextDouble() - 0.5).ToArray())];
    }

    private static bool Orthonormalize(double[] vector, List<double[]> basis)
    {
        double before = TensorPrimitives.Norm<double>(vector);
        if (before == 0)
        {
            return false;
        }

        // Twice is enough (Kahan and Parlett) for a vector that is not dependent.
        for (int pass = 0; pass < 2; pass++)
        {
            foreach (double[] direction in basis)
            {
                TensorPrimitives.MultiplyAdd(direction, -TensorPrimitives.Dot<double>(direction, vector), vector, vector);
            }
        }

        double after = TensorPrimitives.Norm<double>(vector);
        if (after <= Dependent * before)
        {
            return false;
        }

        TensorPrimitives.Divide(vector, after, vector);
        return true;
    }

    private static List<double[]> Multiply(FloatMatrix matrix, List<double[]> vectors)
    {
        List<double[]> products = [.. vectors.Select(_ => new double[matrix.Rows])];
        double[] row = new double[matrix.Columns];
        for (int i = 0; i < matrix.Rows; i++)
        {
            TensorPrimitives.ConvertTruncating<float, double>(matrix.Row(i), row);
            for (int k = 0; k < vectors.Count; k++)
            {
                products[k][i] = TensorPrimitives.Dot<double>(row, vectors[k]);
            }
        }

        return products;
    }

    private static List<double[]> MultiplyTransposed(FloatMatrix matrix, List<double[]> vectors)
    {
        List<double[]> products = [.. vectors.Select(_ => new double[matrix.Columns])];
        double[] row = new double[matrix.Columns];
        for (int i = 0; i < matrix.Rows; i++)
        {
            TensorPrimitives.ConvertTruncating<float, double>(matrix.Row(i), row);
            for (int k = 0; k < vectors.Count; k++)
            {
                TensorPrimitives.MultiplyAdd(row, vectors[k][i], products[k], products[k]);
            }
        }

        return products;
    }
}
