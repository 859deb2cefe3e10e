using LoraServe.Training.Losses;
using LoraServe.Training.Optimizers;
using LoraServe.Training.Options;

namespace LoraServe.Training.Tests.Options;

public sealed class TrainingJobOptionsTests
{
    private static readonly TrainingJobOptions s_good = new() { DataFile = "rows.jsonl" };

    public static TheoryData<TrainingJobOptions, string> Mistakes => new()
    {
        { new TrainingJobOptions(), "there is no data; name a JSONL file with rows to train on." },
        { s_good with { Method = "" }, "method is empty; name one, such as lora." },
        { s_good with { Rank = 4, ChoosesRank = true }, "both rank and rank policy are given; give one." },
        { s_good with { Rank = 0 }, "rank is 0; expected 1 to 4096." },
        { s_good with { Alpha = -2 }, "alpha is -2; expected more than 0." },
        { s_good with { LearningRate = double.NaN }, "learning rate is NaN; expected more than 0." },
        { s_good with { LearningRate = double.PositiveInfinity }, "learning rate is Infinity; expected more than 0." },
        { s_good with { Steps = 10, Epochs = 2 }, "both steps and epochs are given; give one." },
        { s_good with { BatchRows = 10, BatchTokens = 2 }, "both batch tokens and batch rows are given; give one." },
        { s_good with { Steps = 10, WarmupSteps = 11 }, "warm-up steps is 11 and steps is 10; warm up for fewer." },
        { s_good with { Targets = ["q_proj", ""] }, "targets has an empty name." },
        { s_good with { Patience = 3 }, "patience needs rows to evaluate on; give eval file or eval share." },
        { s_good with { EvaluationFile = "a", EvaluationShare = 0.1 }, "both eval file and eval share are given; give one." },
        { s_good with { Loss = LossKind.Dpo, LabelSmoothing = 0.1 }, "label smoothing is 0.1 and loss is Dpo; only supervised training has it." },
        { s_good with { Optimizer = new OptimizerOptions { Beta1 = 1 } }, "beta1 is 1; expected 0 to 0.9999999." },
        { s_good with { ChoosesRank = true, Growth = new(), EvaluationShare = 0.1 }, "both growth and rank policy are given; give one." },
        { s_good with { Growth = new() { Factor = 1 }, EvaluationShare = 0.1 }, "growth factor is 1; expected more than 1." },
        { s_good with { Growth = new() }, "growth needs rows to evaluate on; give eval file or eval share." },
        { s_good with { Rank = 0, Seed = 1, Epochs = -1 }, "rank is 0; expected 1 to 4096. epochs is -1; expected more than 0." },
    };

    [Fact]
    public void Validate_Defaults_AreRight() => s_good.Validate();

    [Fact]
    public void Validate_EverythingSet_IsRight() =>
        (s_good with
        {
            ChoosesRank = true,
            Alpha = 16,
            Targets = ["all-linear"],
            EvaluationFile = "eval.jsonl",
            Patience = 3,
            Steps = 100,
            WarmupSteps = 0,
            BatchTokens = 4096,
            Loss = LossKind.Orpo,
            MaximumGradientNorm = 0,
        }).Validate();

    [Fact]
    public void Validate_NamesOfTheCaller_AreUsed() => Assert.Equal(
        "--steps is 0; expected 1 to 1073741824.",
        Assert.Throws<TrainingOptionsException>(() => (s_good with { Steps = 0 }).Validate(name => $"--{name}")).Message);

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void Validate_Mistake_IsNamedWithWhatIsExpected(TrainingJobOptions options, string message) =>
        Assert.Equal(message, Assert.Throws<TrainingOptionsException>(options.Validate).Message);
}
