using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters.LinearAlgebra;

/// <summary>The Kronecker product of two matrices: the second, times each element of the first, in the place of that element.</summary>
internal static class KroneckerProduct
{
    /// <summary>target = scale · first ⊗ second.</summary>
    public static void Form(FloatMatrix first, FloatMatrix second, float scale, FloatMatrix target)
    {
        for (int row = 0; row < target.Rows; row++)
        {
            ReadOnlySpan<float> factors = first.Row(row / second.Rows);
            ReadOnlySpan<float> values = second.Row(row % second.Rows);
            for (int i = 0; i < factors.Length; i++)
            {
                TensorPrimitives.Multiply(values, scale * factors[i], target.Row(row).Slice(i * second.Columns, second.Columns));
            }
        }
    }

    /// <summary>first ⊗ second.</summary>
    public static FloatMatrix Of(FloatMatrix first, FloatMatrix second)
    {
        var product = new FloatMatrix(first.Rows * second.Rows, first.Columns * second.Columns);
        Form(first, second, 1, product);
        return product;
    }
}
