using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;
using LoraServe.Compute.Kernels;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Memory;

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

    /// <summary>‖scale·B·A‖ of a single pair, of which nothing cancels: from the grams of its factors in float32.</summary>
    public static unsafe double Of(LowRank pair)
    {
        if (pair.Rank == 0)
        {
            return 0;
        }

        float[] grams = new float[2 * pair.Rank * pair.Rank];
        fixed (float* a = pair.A.Values, b = pair.B.Values, gramOfA = grams)
        {
            var rowsOfA = new Rows((nint)a, pair.Rank, pair.A.Columns, pair.A.Columns);
            var rowsOfB = new Rows((nint)b, pair.B.Rows, pair.Rank, pair.Rank);
            var result = new Rows((nint)gramOfA, pair.Rank, pair.Rank, pair.Rank);
            Gemm.RunSerial(GemmOperand.Of(rowsOfA), GemmOperand.Transposed(rowsOfA), result);
            Gemm.RunSerial(GemmOperand.Transposed(rowsOfB), GemmOperand.Of(rowsOfB), result with { Pointer = (nint)(gramOfA + (pair.Rank * pair.Rank)) });
        }

        double sum = 0;
        for (int i = 0; i < grams.Length / 2; i++)
        {
            sum += (double)grams[i] * grams[(grams.Length / 2) + i];
        }

        return Math.Abs(pair.Scale) * Math.Sqrt(Math.Max(sum, 0));
    }

    private static double[] ToDouble(ReadOnlySpan<float> values)
    {
        double[] wide = new double[values.Length];
        TensorPrimitives.ConvertTruncating(values, wide.AsSpan());
        return wide;
    }
}
