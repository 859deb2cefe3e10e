using LoraServe.Adapters.Edits;
using LoraServe.Adapters.LinearAlgebra;
using LoraServe.Testing;

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

    [Fact]
    public void Grow_KeepingTheScale_ComputesTheSameBits()
    {
        LowRank pair = RandomPairs.Pair(5, 8, 24, 40, scale: 16f / 8);

        LowRank grown = RankChange.Grow(pair, 12, seed: 3);

        Assert.Equal((12, pair.Scale, pair.Site), (grown.Rank, grown.Scale, grown.Site));
        Assert.Equal(Product(pair), Product(grown));
    }

    [Theory]
    [InlineData(16f / 12)]
    [InlineData(4.6188021f)]
    public void Grow_ToAnotherScale_ComputesTheSameButForRounding(float scale)
    {
        LowRank pair = RandomPairs.Pair(6, 8, 24, 40, scale: 16f / 8);

        LowRank grown = RankChange.Grow(pair, 12, seed: 3, scale);

        Assert.Equal(scale, grown.Scale);
        Assert.All(Product(pair).Zip(Product(grown)), values => Assert.Equal(values.First, values.Second, 4e-6f));
    }

    [Fact]
    public void Grow_NewTerms_LearnFromTheFirstStep()
    {
        LowRank grown = RankChange.Grow(RandomPairs.Pair(7, 2, 6, 25), 3, seed: 1);

        // B's gradient goes through A: with both zero a term would never move.
        Assert.All(grown.A.Row(2).ToArray(), value => Assert.InRange(MathF.Abs(value), float.Epsilon, 0.2f));
        Assert.All(Enumerable.Range(0, 6), row => Assert.Equal(0, grown.B.Row(row)[2]));
        Assert.Equal(grown.A.Values, RankChange.Grow(RandomPairs.Pair(7, 2, 6, 25), 3, seed: 1).A.Values);
    }

    [Fact]
    public void Grow_ToALowerRankOrNoScale_IsRefused()
    {
        LowRank pair = RandomPairs.Pair(8, 4, 5, 6);

        Assert.Throws<ArgumentException>(() => RankChange.Grow(pair, 3, seed: 0));
        Assert.Throws<ArgumentException>(() => RankChange.Grow(pair, 6, seed: 0, scale: 0));
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

    /// <summary>scale · B·A, term after term in float32 as a forward pass adds them.</summary>
    private static float[] Product(LowRank pair)
    {
        var product = new List<float>();
        for (int row = 0; row < pair.B.Rows; row++)
        {
            for (int column = 0; column < pair.A.Columns; column++)
            {
                float sum = 0;
                for (int k = 0; k < pair.Rank; k++)
                {
                    sum += pair.B.Row(row)[k] * pair.A.Row(k)[column];
                }

                product.Add(pair.Scale * sum);
            }
        }

        return [.. product];
    }
}
