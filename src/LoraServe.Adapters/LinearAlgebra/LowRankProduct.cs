using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters.LinearAlgebra;

/// <summary>Low-rank pairs put together, and their products formed.</summary>
internal static class LowRankProduct
{
    /// <summary>One pair that is the sum of several: of the sum of their ranks, scales in B where there is more than one.</summary>
    public static LowRank Stack(IReadOnlyList<LowRank> pairs)
    {
        if (pairs.Count == 1)
        {
            return pairs[0];
        }

        int rank = pairs.Sum(pair => pair.Rank);
        var b = new FloatMatrix(pairs[0].B.Rows, rank);
        for (int row = 0; row < b.Rows; row++)
        {
            Span<float> destination = b.Row(row);
            foreach (LowRank pair in pairs)
            {
                TensorPrimitives.Multiply(pair.B.Row(row), pair.Scale, destination);
                destination = destination[pair.Rank..];
            }
        }

        return new LowRank(pairs[0].Site, new FloatMatrix(rank, pairs[0].A.Columns, [.. pairs.SelectMany(pair => pair.A.Values)]), b, 1);
    }

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
