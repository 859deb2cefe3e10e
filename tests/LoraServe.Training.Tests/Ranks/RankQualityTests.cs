using LoraServe.Adapters.Edits;
using LoraServe.Testing;
using LoraServe.Training.Ranks;

namespace LoraServe.Training.Tests.Ranks;

public sealed class RankQualityTests
{
    [Fact]
    public void Of_GreatestSingularValues_IsTheRootOfTheEnergyLost()
    {
        var change = new FloatMatrix(3, 3, [4, 0, 0, 0, 2, 0, 0, 0, 1]);
        var greatest = new LowRank(Site.Head, new FloatMatrix(1, 3, [1, 0, 0]), new FloatMatrix(3, 1, [2, 0, 0]), 2);

        var quality = RankQuality.Of(change, greatest);

        Assert.Equal(Math.Sqrt(5.0 / 21), quality.RelativeError, 12);
        Assert.Equal(Math.Sqrt(1 - Spectrum.Of(change).Retained(1, EnergyMeasure.SumOfSquares)), quality.RelativeError, 12);
        Assert.False(quality.IsAcceptable);
    }

    [Fact]
    public void Of_TheChangeItself_IsZero()
    {
        LowRank pair = RandomPairs.Pair(4, 3, 12, 9, scale: 2);
        var change = new FloatMatrix(12, 9);
        LowRankProduct(change, pair);

        Assert.Equal(0, RankQuality.Of(change, pair).RelativeError, 6);
        Assert.True(RankQuality.Of(change, pair).IsAcceptable);
    }

    [Fact]
    public void Of_Nothing_LosesEverything()
    {
        Assert.Equal(1, RankQuality.Of(RandomPairs.Matrix(1, 3, 3), null).RelativeError);
        Assert.Equal(0, RankQuality.Of(new FloatMatrix(3, 3), null).RelativeError);
    }

    [Fact]
    public void Add_TwoMaps_WeighsThemByTheirChange() =>
        Assert.Equal(Math.Sqrt(5.0 / 20), (new RankQuality(1, 4) + new RankQuality(4, 16)).RelativeError);

    [Fact]
    public void Of_PairOfAnotherShape_IsRefused() =>
        Assert.Throws<ArgumentException>(() => RankQuality.Of(new FloatMatrix(3, 4), RandomPairs.Pair(1, 2, 4, 3)));

    private static void LowRankProduct(FloatMatrix change, LowRank pair)
    {
        for (int row = 0; row < change.Rows; row++)
        {
            for (int column = 0; column < change.Columns; column++)
            {
                change.Row(row)[column] = pair.Scale * Enumerable.Range(0, pair.Rank).Sum(k => pair.B.Row(row)[k] * pair.A.Row(k)[column]);
            }
        }
    }
}
