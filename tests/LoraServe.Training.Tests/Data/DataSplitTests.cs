using LoraServe.Training.Data;

namespace LoraServe.Training.Tests.Data;

public sealed class DataSplitTests
{
    [Theory]
    [InlineData(100, 0.1, 10)]
    [InlineData(7, 0.5, 4)]
    [InlineData(2, 0.001, 1)]
    [InlineData(3, 0.999, 2)]
    [InlineData(50, 0, 0)]
    [InlineData(1, 0, 0)]
    public void Of_AShare_DividesAllRows(int rows, double share, int evaluated)
    {
        DataSplit split = DataSplit.Of(rows, share, 5);

        Assert.Equal(evaluated, split.Evaluation.Count);
        Assert.Equal(Enumerable.Range(0, rows), split.Training.Concat(split.Evaluation).Order());
        Assert.Equal(split.Training.Order(), split.Training);
        Assert.Equal(split.Evaluation.Order(), split.Evaluation);
    }

    [Fact]
    public void Of_TheSameSeed_IsTheSameSplit()
    {
        Assert.Equal(DataSplit.Of(100, 0.3, 1).Evaluation, DataSplit.Of(100, 0.3, 1).Evaluation);
        Assert.NotEqual(DataSplit.Of(100, 0.3, 1).Evaluation, DataSplit.Of(100, 0.3, 2).Evaluation);
    }

    [Fact]
    public void Of_RowsThatGrow_KeepsMostSides()
    {
        IReadOnlyList<int> before = DataSplit.Of(1000, 0.1, 1).Evaluation;
        IReadOnlyList<int> after = DataSplit.Of(1100, 0.1, 1).Evaluation;

        Assert.True(before.Intersect(after).Count() > 80);
    }

    [Theory]
    [InlineData(10, 1)]
    [InlineData(10, -0.1)]
    [InlineData(10, double.NaN)]
    [InlineData(1, 0.5)]
    public void Of_WhatCannotBeDivided_IsRefused(int rows, double share) => Assert.Throws<ArgumentException>(() => DataSplit.Of(rows, share, 1));
}
