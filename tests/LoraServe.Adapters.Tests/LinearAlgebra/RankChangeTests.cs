using LoraServe.Adapters.Edits;
using LoraServe.Adapters.LinearAlgebra;

namespace LoraServe.Adapters.Tests.LinearAlgebra;

public sealed class RankChangeTests
{
    [Fact]
    public void To_GreaterRank_IsTheSameChangeAndTakesFreshRows()
    {
        LowRank pair = Pair(7, 5, 2, 0.5f);
        FloatMatrix fresh = Matrix(4, 5, seed: 9);
        LowRank wide = RankChange.To(pair, 4, 2, fresh);
        Assert.Equal((4, 2f), (wide.Rank, wide.Scale));
        Assert.Equal(Formed(pair), Formed(wide), Close);
        Assert.Equal(fresh.Row(3).ToArray(), wide.A.Row(3).ToArray());
        Assert.Equal(pair.A.Row(1).ToArray(), wide.A.Row(1).ToArray());
        Assert.All(Enumerable.Range(0, 7), row => Assert.Equal(0, wide.B.Row(row)[3]));
        Assert.All(RankChange.To(pair, 3, 1).A.Row(2).ToArray(), value => Assert.Equal(0, value));
    }

    [Theory]
    [InlineData(20, 13, 6, 3)]
    [InlineData(9, 30, 8, 1)]
    [InlineData(4, 5, 8, 7)]
    [InlineData(6, 6, 2, 2)]
    public void To_SmallerRank_IsTheTruncatedDecompositionOfTheProduct(int outputs, int inputs, int rank, int target)
    {
        LowRank pair = Pair(outputs, inputs, rank, 1.5f);
        LowRank narrow = RankChange.To(pair, target, 0.25f);
        Assert.Equal((target, 0.25f), (narrow.Rank, narrow.Scale));
        TruncatedSvd svd = TruncatedSvd.Of(new FloatMatrix(outputs, inputs, Formed(pair)), target);
        Assert.Equal(Formed(new LowRank(pair.Site, svd.Right, svd.ScaledLeft, 1)), Formed(narrow), Close);
    }

    [Fact]
    public void To_SmallerRankOfNothing_IsNothing()
    {
        var zero = new LowRank(Site.Head, Matrix(3, 4, 1), new FloatMatrix(5, 3), 1);
        Assert.All(Formed(RankChange.To(zero, 2, 1)), value => Assert.Equal(0, value));
    }

    private static bool Close(float left, float right) => Math.Abs(left - right) < 1e-5;

    private static float[] Formed(LowRank pair)
    {
        var formed = new FloatMatrix(pair.B.Rows, pair.A.Columns);
        LowRankProduct.Add(formed, pair.A, pair.B, pair.Scale);
        return formed.Values;
    }

    private static LowRank Pair(int outputs, int inputs, int rank, float scale) =>
        new(Site.Head, Matrix(rank, inputs, 1), Matrix(outputs, rank, 2), scale);

    private static FloatMatrix Matrix(int rows, int columns, int seed)
    {
        var random = new Random(seed);
        return new(rows, columns, [.. Enumerable.Range(0, rows * columns).Select(_ => random.NextSingle() - 0.5f)]);
    }
}
