using LoraServe.Training.Reports;

namespace LoraServe.Training.Tests.Reports;

public sealed class RunSummaryTests
{
    private static readonly RunSummary s_run = new() { Name = "run", Model = "base", Method = "LoRA", TrainableParameters = 230_400, AllParameters = 134_745_408 };

    [Fact]
    public void Ratios_ScoreAndFullScoreKnown_AreThoseOfTheDefinition()
    {
        RunSummary run = s_run with { Score = 0.9075, FullScore = 0.95 };

        Assert.Equal(230_400.0 / 134_745_408, run.ParameterEfficiency, 12);
        Assert.Equal(0.9075 / 0.95, run.Attainment!.Value, 12);
        Assert.Equal(0.9075 / 0.95 / (230_400.0 / 134_745_408), run.ReturnOnParameters!.Value, 9);
    }

    [Fact]
    public void Ratios_SomethingUnknown_AreUnknown()
    {
        Assert.Null(s_run.Attainment);
        Assert.Null((s_run with { Score = 0.5 }).ReturnOnParameters);
        Assert.Null((s_run with { Score = 0.5, FullScore = 0 }).Attainment);
        Assert.Null((s_run with { Score = 0.5, FullScore = 1, TrainableParameters = 0 }).ReturnOnParameters);
        Assert.True(double.IsNaN((s_run with { AllParameters = 0 }).ParameterEfficiency));
    }
}
