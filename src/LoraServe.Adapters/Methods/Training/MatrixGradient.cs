using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gradients;

namespace LoraServe.Adapters.Methods.Training;

/// <summary>From derivatives by a product of matrices to those by its factors.</summary>
internal static class MatrixGradient
{
    /// <summary>Of left·right: dLeft += d·rightᵀ, dRight += leftᵀ·d.</summary>
    public static void OfProduct(FloatMatrix d, FloatMatrix left, FloatMatrix right, float[] dLeft, float[] dRight)
    {
        for (int row = 0; row < left.Rows; row++)
        {
            for (int k = 0; k < right.Rows; k++)
            {
                dLeft[(row * right.Rows) + k] += TensorPrimitives.Dot(d.Row(row), right.Row(k));
                Span<float> rowOfRight = dRight.AsSpan(k * right.Columns, right.Columns);
                TensorPrimitives.MultiplyAdd(d.Row(row), left.Row(row)[k], rowOfRight, rowOfRight);
            }
        }
    }

    /// <summary>Of first ⊗ second, times a factor; null for what is not trained.</summary>
    public static void OfKronecker(FloatMatrix d, FloatMatrix first, FloatMatrix second, float factor, float[]? dFirst, float[]? dSecond)
    {
        for (int row = 0; row < d.Rows; row++)
        {
            (int i, int k) = int.DivRem(row, second.Rows);
            for (int j = 0; j < first.Columns; j++)
            {
                ReadOnlySpan<float> part = d.Row(row).Slice(j * second.Columns, second.Columns);
                if (dFirst is not null)
                {
                    dFirst[(i * first.Columns) + j] += factor * TensorPrimitives.Dot(part, second.Row(k));
                }

                if (dSecond is not null)
                {
                    Span<float> rowOfSecond = dSecond.AsSpan(k * second.Columns, second.Columns);
                    TensorPrimitives.MultiplyAdd(part, factor * first.Row(i)[j], rowOfSecond, rowOfSecond);
                }
            }
        }
    }

    /// <summary>A parameter's values as a matrix.</summary>
    public static FloatMatrix Matrix(this Parameter parameter) => new(parameter.Shape[0], parameter.Shape[1], parameter.Values);

    /// <summary>Derivatives as a matrix.</summary>
    public static FloatMatrix Matrix(this GradientMatrix gradient) => new(gradient.Rows.Count, gradient.Rows.Width, gradient.Values);
}
