using LoraServe.Training.Ranks;
using LoraServe.Training.Ranks.Sweep;

namespace LoraServe.Training.Tests.Ranks.Sweep;

public sealed class RankSweepTests
{
    [Theory]
    [InlineData(2, 2)]
    [InlineData(5, 23)]
    [InlineData(3, 100)]
    public void Folds_Rows_AreValidatedOnceAndTrainedOnOtherwise(int folds, int rows)
    {
        IReadOnlyList<SweepFold> split = new RankSweep([4], [1e-3], folds).Folds(rows);

        Assert.Equal(folds, split.Count);
        Assert.Equal(Enumerable.Range(0, rows), split.SelectMany(fold => fold.Validation).Order());
        Assert.All(split, fold => Assert.Equal(Enumerable.Range(0, rows), fold.Training.Concat(fold.Validation).Order()));
        Assert.True(split.Max(fold => fold.Validation.Length) - split.Min(fold => fold.Validation.Length) <= 1);
    }

    [Fact]
    public void Folds_Seed_DecidesTheSplit()
    {
        int[] Validation(int seed) => [.. new RankSweep([4], [1e-3], 3, seed).Folds(50)[0].Validation];

        Assert.Equal(Validation(1), Validation(1));
        Assert.NotEqual(Validation(1), Validation(2));
    }

    [Fact]
    public void Run_AllCandidatesOfAFold_AreScoredInOneCall()
    {
        var sweep = new RankSweep([16, 4, 4], [1e-3, 1e-4], 3);
        int calls = 0;

        SweepResult result = sweep.Run(9, (fold, candidates) =>
        {
            Assert.Equal(calls++, fold.Number);
            return [.. candidates.Select(candidate => 1.0 / candidate.Rank + (candidate.LearningRate == 1e-4 ? 0.5 : 0))];
        });

        Assert.Equal(3, calls);
        Assert.Equal([new(4, 1e-4), new(4, 1e-3), new(16, 1e-4), new RankCandidate(16, 1e-3)], sweep.Candidates.AsEnumerable());
        Assert.Equal(new RankCandidate(16, 1e-3), result.Chosen.Candidate);
        Assert.Equal((1.0 / 16, 0), (result.Best.Mean, result.Best.StandardError));
    }

    [Fact]
    public void Run_RanksWithinOneStandardError_GivesTheSmaller()
    {
        // Rank 32 has mean 0.50 and standard error 0.1 / √3 = 0.058: rank 8 with 0.55 is as good, rank 4 with 0.60 is not.
        Queue<double[]> losses = new([[0.60, 0.55, 0.40], [0.65, 0.50, 0.50], [0.55, 0.60, 0.60]]);

        SweepResult result = new RankSweep([4, 8, 32], [1e-3], 3).Run(30, (_, _) => losses.Dequeue());

        Assert.Equal((32, 8), (result.Best.Candidate.Rank, result.Chosen.Candidate.Rank));
        Assert.Equal(0.1 / Math.Sqrt(3), result.Best.StandardError, 12);
    }

    [Fact]
    public void Run_CandidateThatDiverges_IsNotChosen()
    {
        SweepResult result = new RankSweep([4, 8], [1e-3], 2).Run(4, (_, _) => [double.NaN, 3.0]);

        Assert.Equal(8, result.Chosen.Candidate.Rank);
        Assert.Throws<InvalidOperationException>(() => new RankSweep([4], [1e-3], 2).Run(4, (_, _) => [double.NaN]));
    }

    [Fact]
    public void Create_WhatCannotBeSwept_IsRefused()
    {
        Assert.Throws<RankChoiceException>(() => new RankSweep([], [1e-3]));
        Assert.Throws<RankChoiceException>(() => new RankSweep([0], [1e-3]));
        Assert.Throws<RankChoiceException>(() => new RankSweep([4], [-1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new RankSweep([4], [1e-3], folds: 1));
        Assert.Throws<RankChoiceException>(() => new RankSweep([4], [1e-3], folds: 5).Folds(4));
    }
}
