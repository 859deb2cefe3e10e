using LoraServe.Training.Data;
using LoraServe.Training.Losses;
using LoraServe.Training.Optimizers;
using LoraServe.Training.Options;

namespace LoraServe.Jobs.Records;

/// <summary>How a job trains; see <see cref="TrainingJobOptions"/> for what each setting means.</summary>
public sealed record Hyperparameters
{
    /// <summary>Optimizer steps.</summary>
    public int? MaxSteps { get; init; }

    /// <summary>Passes over the rows.</summary>
    public double? Epochs { get; init; }

    /// <summary>Rows of a step.</summary>
    public int? BatchSize { get; init; }

    /// <summary>Most tokens of a step.</summary>
    public int? BatchTokens { get; init; }

    /// <summary>Batches whose gradients make one step.</summary>
    public int? GradientAccumulationSteps { get; init; }

    /// <summary>The highest rate.</summary>
    public double? LearningRate { get; init; }

    /// <summary>How the rate falls.</summary>
    public LearningRateSchedule LrScheduler { get; init; } = LearningRateSchedule.Linear;

    /// <summary>Steps over which the rate rises from zero.</summary>
    public int? WarmupSteps { get; init; }

    /// <summary>What turns gradients into updates.</summary>
    public OptimizerKind Optimizer { get; init; } = OptimizerKind.AdamW;

    /// <summary>Weight decay.</summary>
    public double WeightDecay { get; init; }

    /// <summary>Length that the gradient is clipped to; 0 for no clipping.</summary>
    public double? MaxGradNorm { get; init; }

    /// <summary>What is minimised.</summary>
    public LossKind Loss { get; init; } = LossKind.Supervised;

    /// <summary>Of the preference losses.</summary>
    public double? Beta { get; init; }

    /// <summary>Share of each label that is spread over the vocabulary.</summary>
    public double LabelSmoothing { get; init; }

    /// <summary>Whether prompts carry loss like completions.</summary>
    public bool TrainOnPrompt { get; init; }

    /// <summary>Tokens that a row is cut to.</summary>
    public int? MaxLength { get; init; }

    /// <summary>The form of the rows; null: what their fields say.</summary>
    public RowFormat? RowFormat { get; init; }

    /// <summary>What becomes of rows that are longer or have nothing to learn.</summary>
    public LongRows? LongRows { get; init; }

    /// <summary>What first values and the order of rows are drawn from.</summary>
    public int Seed { get; init; }

    /// <summary>Steps from one evaluation to the next.</summary>
    public int? EvalSteps { get; init; }

    /// <summary>Evaluations without improvement after which the job stops; 0: it goes on.</summary>
    public int EarlyStoppingPatience { get; init; }

    /// <summary>Steps from one checkpoint to the next; 0: none.</summary>
    public int? SaveSteps { get; init; }

    /// <summary>Whether activations are computed again instead of kept.</summary>
    public bool GradientCheckpointing { get; init; }

    /// <summary>Decay of the first moment.</summary>
    public double? AdamBeta1 { get; init; }

    /// <summary>Decay of the second moment.</summary>
    public double? AdamBeta2 { get; init; }

    /// <summary>Added to the second moment or its root.</summary>
    public double? AdamEpsilon { get; init; }

    /// <summary>Of SGD.</summary>
    public double Momentum { get; init; }

    /// <summary>Adafactor: the exponent of the second moment's decay.</summary>
    public double? DecayRate { get; init; }

    /// <summary>Adafactor: root mean square above which an update is scaled down.</summary>
    public double? ClipThreshold { get; init; }
}
