using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters.LinearAlgebra;

/// <summary>Sums of Kronecker products of small matrices, Σᵢ Rᵢ ⊗ Wᵢ.</summary>
internal static class KroneckerSum
{
    /// <summary>The sum, [terms · height, terms · width].</summary>
    /// <param name="rules">Rᵢ, [terms, terms, terms].</param>
    /// <param name="factors">Wᵢ, [terms, height, width].</param>
    /// <param name="terms">Number of products, and side of each Rᵢ.</param>
    /// <param name="height">Rows of each Wᵢ.</param>
    /// <param name="width">Columns of each Wᵢ.</param>
    public static FloatMatrix Of(float[] rules, float[] factors, int terms, int height, int width)
    {
        var sum = new FloatMatrix(terms * height, terms * width);
        for (int i = 0; i < terms; i++)
        {
            for (int row = 0; row < sum.Rows; row++)
            {
                Span<float> destination = sum.Row(row);
                ReadOnlySpan<float> factor = factors.AsSpan(((i * height) + (row % height)) * width, width);
                for (int column = 0; column < destination.Length; column++)
                {
                    destination[column] += rules[(((i * terms) + (row / height)) * terms) + (column / width)] * factor[column % width];
                }
            }
        }

        return sum;
    }

    /// <summary>Leftᵢ·Rightᵢ of every term, [terms, height, width].</summary>
    public static float[] Products(float[] left, float[] right, int terms, int height, int rank, int width)
    {
        float[] products = new float[terms * height * width];
        for (int i = 0; i < terms; i++)
        {
            var product = new FloatMatrix(height, width);
            LowRankProduct.Add(
                product,
                new FloatMatrix(rank, width, right[(i * rank * width)..((i + 1) * rank * width)]),
                new FloatMatrix(height, rank, left[(i * height * rank)..((i + 1) * height * rank)]),
                1);
            product.Values.CopyTo(products, i * height * width);
        }

        return products;
    }
}
