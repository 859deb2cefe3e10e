using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters.LinearAlgebra;

/// <summary>Frobenius norms of sums of low-rank products, without forming them.</summary>
internal static class LowRankNorm
{
    /// <summary>‖Σ scaleᵢ·BᵢAᵢ‖² = Σᵢⱼ scaleᵢ·scaleⱼ·⟨BᵢᵀBⱼ, AᵢAⱼᵀ⟩.</summary>
    public static double Squared(IReadOnlyList<LowRank> pairs)
    {
        double sum = 0;
        foreach (LowRank left in pairs)
        {
            foreach (LowRank right in pairs)
            {
                sum += (double)left.Scale * right.Scale * Inner(left, right);
            }
        }

        return Math.Max(sum, 0);
    }

    private static double Inner(LowRank left, LowRank right)
    {
        double[] outputs = new double[left.Rank * right.Rank];
        for (int row = 0; row < left.B.Rows; row++)
        {
            ReadOnlySpan<float> a = left.B.Row(row);
            ReadOnlySpan<float> b = right.B.Row(row);
            for (int i = 0; i < a.Length; i++)
            {
                for (int j = 0; j < b.Length; j++)
                {
                    outputs[(i * b.Length) + j] += (double)a[i] * b[j];
                }
            }
        }

        double sum = 0;
        for (int i = 0; i < left.Rank; i++)
        {
            for (int j = 0; j < right.Rank; j++)
            {
                sum += outputs[(i * right.Rank) + j] * Dot(left.A.Row(i), right.A.Row(j));
            }
        }

        return sum;
    }

    private static double Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++)
        {
            sum += (double)a[i] * b[i];
        }

        return sum;
    }
}
