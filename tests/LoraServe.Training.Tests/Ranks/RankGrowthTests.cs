using LoraServe.Adapters.Edits;
using LoraServe.Training.Ranks;

namespace LoraServe.Training.Tests.Ranks;

public sealed class RankGrowthTests
{
    private static readonly RankGrowth s_growth = new();

    [Fact]
    public void IsDue_FiveScoresThatHardlyDiffer_IsTrue()
    {
        Assert.True(s_growth.IsDue([0.2, 0.5, 0.800, 0.805, 0.803, 0.801, 0.804]));
        Assert.False(s_growth.IsDue([0.80, 0.82, 0.79, 0.83, 0.80]));
    }

    [Fact]
    public void IsDue_FewerThanFiveScores_IsFalse() => Assert.False(s_growth.IsDue([0.8, 0.8, 0.8, 0.8]));

    [Fact]
    public void IsDue_ScoresThatAreNotNumbers_IsFalse() => Assert.False(s_growth.IsDue([0.8, double.NaN, 0.8, 0.8, 0.8]));

    [Theory]
    [InlineData(1, 2)]
    [InlineData(8, 12)]
    [InlineData(9, 14)]
    [InlineData(200, 256)]
    [InlineData(256, 256)]
    [InlineData(300, 300)]
    public void After_Rank_IsOneAndAHalfTimesAsLargeUpToTheGreatest(int rank, int next) => Assert.Equal(next, s_growth.After(rank));

    [Fact]
    public void Grow_KeepingTheScale_ComputesTheSameBits()
    {
        LowRank pair = RandomPairs.Pair(5, 8, 24, 40, scale: 16f / 8);

        LowRank grown = RankGrowth.Grow(pair, 12, seed: 3);

        Assert.Equal((12, pair.Scale, pair.Site), (grown.Rank, grown.Scale, grown.Site));
        Assert.Equal(Product(pair), Product(grown));
    }

    [Theory]
    [InlineData(16f / 12)]
    [InlineData(4.6188021f)]
    public void Grow_ToAnotherScale_ComputesTheSameButForRounding(float scale)
    {
        LowRank pair = RandomPairs.Pair(6, 8, 24, 40, scale: 16f / 8);

        LowRank grown = RankGrowth.Grow(pair, 12, seed: 3, scale);

        Assert.Equal(scale, grown.Scale);
        Assert.All(Product(pair).Zip(Product(grown)), values => Assert.Equal(values.First, values.Second, 4e-6f));
    }

    [Fact]
    public void Grow_NewTerms_LearnFromTheFirstStep()
    {
        LowRank grown = RankGrowth.Grow(RandomPairs.Pair(7, 2, 6, 25), 3, seed: 1);

        // B's gradient goes through A: with both zero a term would never move.
        Assert.All(grown.A.Row(2).ToArray(), value => Assert.InRange(MathF.Abs(value), float.Epsilon, 0.2f));
        Assert.All(Enumerable.Range(0, 6), row => Assert.Equal(0, grown.B.Row(row)[2]));
        Assert.Equal(grown.A.Values, RankGrowth.Grow(RandomPairs.Pair(7, 2, 6, 25), 3, seed: 1).A.Values);
    }

    [Fact]
    public void Grow_ToALowerRankOrNoScale_IsRefused()
    {
        LowRank pair = RandomPairs.Pair(8, 4, 5, 6);

        Assert.Throws<ArgumentException>(() => RankGrowth.Grow(pair, 3, seed: 0));
        Assert.Throws<ArgumentException>(() => RankGrowth.Grow(pair, 6, seed: 0, scale: 0));
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
