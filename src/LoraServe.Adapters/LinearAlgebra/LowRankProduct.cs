using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters.LinearAlgebra;

/// <summary>The product of a pair, formed.</summary>
internal static class LowRankProduct
{
    /// <summary>target += scale · B·A, where A is [rank, columns] and B [rows, rank].</summary>
    public static void Add(FloatMatrix target, FloatMatrix a, FloatMatrix b, float scale)
    {
        for (int row = 0; row < target.Rows; row++)
        {
            AddRow(target.Row(row), a, b.Row(row), scale);
        }
    }

    /// <summary>target += scale · bRow·A.</summary>
    public static void AddRow(Span<float> target, FloatMatrix a, ReadOnlySpan<float> bRow, float scale)
    {
        for (int k = 0; k < bRow.Length; k++)
        {
            TensorPrimitives.MultiplyAdd(a.Row(k), scale * bRow[k], target, target);
        }
    }

    /// <summary>target += what a pair at the token table changes in a token's row.</summary>
    public static void AddTableRow(Span<float> target, LowRank pair, int token)
    {
        for (int i = 0; i < target.Length; i++)
        {
            ReadOnlySpan<float> b = pair.B.Row(i);
            float sum = 0;
            for (int k = 0; k < b.Length; k++)
            {
                sum += b[k] * pair.A.Values[(k * pair.A.Columns) + token];
            }

            target[i] += pair.Scale * sum;
        }
    }
}
