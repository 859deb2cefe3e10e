using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters.LinearAlgebra;

/// <summary>P = Q·R with orthonormal columns of Q, by reflections in double, whose signs are those that LAPACK's geqrf has; and the way back of derivatives.</summary>
/// <remarks>Each reflection makes R's diagonal element of the sign that the reflected column's leading element has not (Golub and Van Loan, 5.2).</remarks>
internal sealed class HouseholderQr
{
    private readonly double[][] _q;
    private readonly double[][] _r;

    /// <summary>Decomposes a matrix of no fewer rows than columns.</summary>
    public HouseholderQr(FloatMatrix matrix)
    {
        (int rows, int columns) = (matrix.Rows, matrix.Columns);
        double[][] work = [.. Enumerable.Range(0, columns).Select(k => Enumerable.Range(0, rows).Select(i => (double)matrix.Row(i)[k]).ToArray())];
        double[]?[] reflections = new double[columns][];
        for (int k = 0; k < columns; k++)
        {
            reflections[k] = Reflection(work[k].AsSpan(k));
            for (int j = k; j < columns && reflections[k] is { } u; j++)
            {
                Reflect(u, work[j].AsSpan(k));
            }
        }

        _r = work;
        _q = [.. Enumerable.Range(0, columns).Select(k => Enumerable.Range(0, rows).Select(i => i == k ? 1.0 : 0).ToArray())];
        for (int k = columns - 1; k >= 0; k--)
        {
            for (int j = k; j < columns && reflections[k] is { } u; j++)
            {
                Reflect(u, _q[j].AsSpan(k));
            }
        }

        Q = new FloatMatrix(rows, columns);
        for (int k = 0; k < columns; k++)
        {
            for (int i = 0; i < rows; i++)
            {
                Q.Row(i)[k] = (float)_q[k][i];
            }
        }
    }

    /// <summary>[rows, columns].</summary>
    public FloatMatrix Q { get; }

    /// <summary>Adds the derivative by P, given that by Q: (dQ + Q·S)·R⁻ᵀ, where S is symmetric and has the lower triangle of −dQᵀ·Q (Walter and Lehmann 2010).</summary>
    /// <param name="byQ">[rows, columns].</param>
    /// <param name="byMatrix">Gets the sum.</param>
    public void Back(FloatMatrix byQ, Span<float> byMatrix)
    {
        int columns = _q.Length;
        double[][] d = [.. Enumerable.Range(0, columns).Select(k => Enumerable.Range(0, byQ.Rows).Select(i => (double)byQ.Row(i)[k]).ToArray())];
        double[][] sum = [.. d.Select(column => (double[])column.Clone())];
        for (int i = 0; i < columns; i++)
        {
            for (int j = 0; j <= i; j++)
            {
                double element = -TensorPrimitives.Dot<double>(d[i], _q[j]);
                TensorPrimitives.MultiplyAdd(_q[i], element, sum[j], sum[j]);
                if (j < i)
                {
                    TensorPrimitives.MultiplyAdd(_q[j], element, sum[i], sum[i]);
                }
            }
        }

        // X·Rᵀ = sum, from the last column on.
        for (int k = columns - 1; k >= 0; k--)
        {
            for (int j = k + 1; j < columns; j++)
            {
                TensorPrimitives.MultiplyAdd(sum[j], -_r[j][k], sum[k], sum[k]);
            }

            TensorPrimitives.Divide(sum[k], _r[k][k], sum[k]);
            for (int i = 0; i < byQ.Rows; i++)
            {
                byMatrix[(i * columns) + k] += (float)sum[k][i];
            }
        }
    }

    /// <summary>The vector of length √2 whose reflection leaves the first element alone; null where the others are zero already.</summary>
    private static double[]? Reflection(ReadOnlySpan<double> column)
    {
        if (column.Length < 2 || !column[1..].ContainsAnyExcept(0))
        {
            return null;
        }

        double[] u = column.ToArray();
        double norm = TensorPrimitives.Norm<double>(u);
        u[0] += u[0] >= 0 ? norm : -norm;
        TensorPrimitives.Multiply(u, Math.Sqrt(2) / TensorPrimitives.Norm<double>(u), u);
        return u;
    }

    private static void Reflect(double[] u, Span<double> column) => TensorPrimitives.MultiplyAdd(u, -TensorPrimitives.Dot<double>(u, column), column, column);
}
