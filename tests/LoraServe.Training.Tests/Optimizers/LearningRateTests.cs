using LoraServe.Training.Optimizers;

namespace LoraServe.Training.Tests.Optimizers;

public sealed class LearningRateTests
{
    [Theory]
    [InlineData(LearningRateSchedule.Constant, new[] { 0, 0.5, 1, 1, 1, 1, 1, 1 })]
    [InlineData(LearningRateSchedule.Linear, new[] { 0, 0.5, 1, 0.75, 0.5, 0.25, 0, 0 })]
    [InlineData(LearningRateSchedule.Cosine, new[] { 0, 0.5, 1, 0.85355339059327373, 0.5, 0.14644660940672621, 0, 0 })]
    public void At_AfterAWarmUpOfTwo_FollowsTheSchedule(LearningRateSchedule schedule, double[] expected)
    {
        var rate = new LearningRate(schedule, 1, WarmupSteps: 2, TotalSteps: 6);

        Assert.All(expected.Select((value, step) => (value, step)), item => Assert.Equal(item.value, rate.At(item.step), 1e-15));
    }

    [Fact]
    public void At_WithoutWarmUp_BeginsAtTheTop() => Assert.Equal(3, new LearningRate(LearningRateSchedule.Linear, 3, 0, 5).At(0));

    [Fact]
    public void At_WhenAllStepsWarmUp_StaysFinite() =>
        Assert.All(Enumerable.Range(0, 10), step => Assert.InRange(new LearningRate(LearningRateSchedule.Cosine, 1, 5, 5).At(step), 0, 1));
}
