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
}
