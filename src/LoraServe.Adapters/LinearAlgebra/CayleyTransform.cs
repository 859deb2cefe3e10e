using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters.LinearAlgebra;

/// <summary>Rotations of skew-symmetric matrices, R = (I − Q)(I + Q)⁻¹, less the identity; and the way back of derivatives.</summary>
/// <param name="neumann">
/// Null: exact, −2Q(I + Q)⁻¹, which is a rotation for a skew-symmetric Q. Else the coefficients c of what PEFT has in its place, for
/// any Q: c[0]·Q + c[1]·Q² + …, which sums up to (I + Q)(I − Q)⁻¹.
/// </param>
internal sealed class CayleyTransform(float[]? neumann)
{
    /// <summary>The exact transform.</summary>
    public static CayleyTransform Exact { get; } = new(null);

    /// <summary>PEFT's series of so many terms: I, then 2Q, 2Q² and so on, and the last power once.</summary>
    public static CayleyTransform Series(int terms)
    {
        // Two powers are doubled and one more taken once, also where fewer terms are asked for.
        int doubled = terms <= 2 ? terms - 1 : Math.Max(terms - 2, 2);
        float[] coefficients = new float[terms <= 2 ? doubled : doubled + 1];
        Array.Fill(coefficients, 1);
        coefficients.AsSpan(0, doubled).Fill(2);
        return new CayleyTransform(coefficients);
    }

    /// <summary>R − I.</summary>
    public FloatMatrix Run(FloatMatrix q)
    {
        if (neumann is null)
        {
            return Inverse(q);
        }

        FloatMatrix sum = new(q.Rows, q.Rows);
        for (int k = neumann.Length - 1; k >= 0; k--)
        {
            sum = Product(q, WithDiagonal(sum, neumann[k]));
        }

        return sum;
    }

    /// <summary>The derivative by Q's elements, each counted by itself, of one by R's elements.</summary>
    /// <param name="q">Q.</param>
    /// <param name="change">R − I, as <see cref="Run"/> gave it.</param>
    /// <param name="gradient">Derivative by R.</param>
    public FloatMatrix Back(FloatMatrix q, FloatMatrix change, FloatMatrix gradient)
    {
        if (neumann is null)
        {
            // dR = −½ (R + I)·dQ·(R + I).
            FloatMatrix right = WithDiagonal(change, 2).Transposed();
            FloatMatrix dq = Product(Product(right, gradient), right);
            TensorPrimitives.Multiply(dq.Values, -0.5f, dq.Values);
            return dq;
        }

        // Horner's scheme, S_k = Q·(c_k·I + S_{k+1}), and back.
        var factors = new FloatMatrix[neumann.Length];
        FloatMatrix sum = new(q.Rows, q.Rows);
        for (int k = neumann.Length - 1; k >= 0; k--)
        {
            factors[k] = WithDiagonal(sum, neumann[k]);
            sum = Product(q, factors[k]);
        }

        var total = new FloatMatrix(q.Rows, q.Rows);
        FloatMatrix transposed = q.Transposed();
        for (int k = 0; k < neumann.Length; k++)
        {
            TensorPrimitives.Add(total.Values, Product(gradient, factors[k].Transposed()).Values, total.Values);
            gradient = Product(transposed, gradient);
        }

        return total;
    }

    /// <summary>2(I + Q)⁻¹ − 2I by Gauss and Jordan; the symmetric part of I + Q is I, so no pivot vanishes.</summary>
    private static FloatMatrix Inverse(FloatMatrix q)
    {
        int n = q.Rows;
        double[][] rows = new double[n][];
        for (int i = 0; i < n; i++)
        {
            rows[i] = new double[2 * n];
            TensorPrimitives.ConvertTruncating<float, double>(q.Row(i), rows[i].AsSpan(0, n));
            rows[i][i] += 1;
            rows[i][n + i] = 1;
        }

        for (int pivot = 0; pivot < n; pivot++)
        {
            // Left of the pivot all is done, and beyond the inverse's diagonal nothing is there yet.
            Span<double> row = rows[pivot].AsSpan(pivot, n + 1);
            TensorPrimitives.Multiply(row, 1 / row[0], row);
            for (int i = 0; i < n; i++)
            {
                if (i != pivot)
                {
                    Span<double> other = rows[i].AsSpan(pivot, n + 1);
                    TensorPrimitives.MultiplyAdd(row, -other[0], other, other);
                }
            }
        }

        var change = new FloatMatrix(n, n);
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j < n; j++)
            {
                change.Values[(i * n) + j] = (float)(2 * (rows[i][n + j] - (i == j ? 1 : 0)));
            }
        }

        return change;
    }

    private static FloatMatrix WithDiagonal(FloatMatrix matrix, float summand)
    {
        var sum = new FloatMatrix(matrix.Rows, matrix.Rows, [.. matrix.Values]);
        for (int i = 0; i < matrix.Rows; i++)
        {
            sum.Values[(i * matrix.Rows) + i] += summand;
        }

        return sum;
    }

    private static FloatMatrix Product(FloatMatrix a, FloatMatrix b)
    {
        var product = new FloatMatrix(a.Rows, b.Columns);
        for (int row = 0; row < a.Rows; row++)
        {
            Span<float> sums = product.Row(row);
            for (int k = 0; k < a.Columns; k++)
            {
                TensorPrimitives.MultiplyAdd(b.Row(k), a.Values[(row * a.Columns) + k], sums, sums);
            }
        }

        return product;
    }
}
