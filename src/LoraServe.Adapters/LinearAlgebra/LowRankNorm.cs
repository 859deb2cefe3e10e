using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters.LinearAlgebra;

/// <summary>Frobenius norms of sums of low-rank products, without forming them.</summary>
internal static class LowRankNorm
{
    /// <summary>‖Σ scaleᵢ·BᵢAᵢ‖² = Σᵢⱼ scaleᵢ·scaleⱼ·⟨BᵢᵀBⱼ, AᵢAⱼᵀ⟩, in double, since terms may cancel.</summary>
    public static double Squared(IReadOnlyList<LowRank> pairs)
    {
        // The r-th term of a pair is the outer product of B's column r and A's row r.
        var terms = new List<(double[] Column, double[] Row)>();
        foreach (LowRank pair in pairs)
        {
            FloatMatrix columns = pair.B.Transposed();
            for (int k = 0; k < pair.Rank; k++)
            {
                double[] column = ToDouble(columns.Row(k));
                TensorPrimitives.Multiply(column, pair.Scale, column);
                terms.Add((column, ToDouble(pair.A.Row(k))));
            }
        }

        double sum = 0;
        for (int i = 0; i < terms.Count; i++)
        {
            for (int j = 0; j <= i; j++)
            {
                double inner = TensorPrimitives.Dot<double>(terms[i].Column, terms[j].Column) * TensorPrimitives.Dot<double>(terms[i].Row, terms[j].Row);
                sum += i == j ? inner : 2 * inner;
            }
        }

        return Math.Max(sum, 0);
    }

    private static double[] ToDouble(ReadOnlySpan<float> values)
    {
        double[] wide = new double[values.Length];
        TensorPrimitives.ConvertTruncating(values, wide.AsSpan());
        return wide;
    }
}
