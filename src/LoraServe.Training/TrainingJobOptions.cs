using System.Text.Json.Nodes;
using LoraServe.Training.Optimizers;
using LoraServe.Training.Ranks;

namespace LoraServe.Training;

/// <summary>Everything that decides what a run makes: the same settings and files give the same adapter. Null stands for what the method usually has.</summary>
public sealed record TrainingJobOptions
{
    private const int GreatestRank = 4096;
    private const int GreatestCount = 1 << 30;

    /// <summary>The method's name, such as <c>lora</c>, <c>dora</c>, <c>ia3</c>, <c>prompt</c> or <c>full</c>.</summary>
    public string Method { get; init; } = "lora";

    /// <summary>Rows to train on: a JSONL file.</summary>
    public string DataFile { get; init; } = "";

    /// <summary>Rows to evaluate on: a JSONL file; null for none, or for <see cref="EvaluationShare"/>.</summary>
    public string? EvaluationFile { get; init; }

    /// <summary>Share of <see cref="DataFile"/> that is kept apart for evaluation where there is no file of its own.</summary>
    public double EvaluationShare { get; init; }

    /// <summary>Rank of low-rank updates, or the bottleneck's width; null: what the method usually has, or the adapter that is gone on from.</summary>
    public int? Rank { get; init; }

    /// <summary>Whether the rank is chosen for the model and the data instead.</summary>
    public bool ChoosesRank { get; init; }

    /// <summary>Which policy chooses it: a name of <see cref="Ranks.Policies.RankPolicies"/>.</summary>
    public string RankPolicy { get; init; } = Ranks.Policies.RankPolicies.Usual;

    /// <summary>How the rank of a LoRA grows when evaluations stand still; null: it does not.</summary>
    public RankGrowth? Growth { get; init; }

    /// <summary>Gated LoRA: how gates are learned and pruned.</summary>
    public GateOptions Gates { get; init; } = new();

    /// <summary>Numerator of the update's scale; null: twice the rank.</summary>
    public double? Alpha { get; init; }

    /// <summary>Modules to adapt, such as <c>q_proj</c>, or <c>all-linear</c>; none for the method's usual ones.</summary>
    public IReadOnlyList<string> Targets { get; init; } = [];

    /// <summary>LoRA+: factor of B's learning rate; null: the method's.</summary>
    public double? RateRatioOfB { get; init; }

    /// <summary>Virtual tokens of prompt tuning, P-tuning and prefix tuning; null: the method's.</summary>
    public int? VirtualTokens { get; init; }

    /// <summary>Text whose embeddings prompt tuning begins with; null: random ones.</summary>
    public string? PromptText { get; init; }

    /// <summary>Further keys of the adapter's configuration as PEFT spells them, over what the other settings say; null for none.</summary>
    public JsonObject? PeftConfig { get; init; }

    /// <summary>A directory with an adapter to go on from; null to begin with a new one.</summary>
    public string? InitFrom { get; init; }

    /// <summary>What is minimised.</summary>
    public LossKind Loss { get; init; }

    /// <summary>DPO: how strongly the reference holds. ORPO: weight of the odds ratio.</summary>
    public double Beta { get; init; } = 0.1;

    /// <summary>Share of each label that is spread over the vocabulary.</summary>
    public double LabelSmoothing { get; init; }

    /// <summary>Whether prompts carry loss like completions.</summary>
    public bool LossOnPrompt { get; init; }

    /// <summary>Tokens that a row is cut to; null: the model's context.</summary>
    public int? MaximumLength { get; init; }

    /// <summary>Optimizer steps; null where <see cref="Epochs"/> says how long.</summary>
    public int? Steps { get; init; }

    /// <summary>Passes over the data; null where <see cref="Steps"/> says how long. Neither: one pass.</summary>
    public double? Epochs { get; init; }

    /// <summary>Most tokens of a step; null where <see cref="BatchRows"/> says how many rows.</summary>
    public int? BatchTokens { get; init; }

    /// <summary>Rows of a step; null where <see cref="BatchTokens"/> says how many tokens. Neither: 16 rows.</summary>
    public int? BatchRows { get; init; }

    /// <summary>Batches whose gradients make one step.</summary>
    public int AccumulationSteps { get; init; } = 1;

    /// <summary>The highest learning rate; null: the method's.</summary>
    public double? LearningRate { get; init; }

    /// <summary>How the rate falls.</summary>
    public LearningRateSchedule Schedule { get; init; } = LearningRateSchedule.Linear;

    /// <summary>Steps over which the rate rises from zero; null: a twentieth of the run.</summary>
    public int? WarmupSteps { get; init; }

    /// <summary>What turns gradients into updates.</summary>
    public OptimizerOptions Optimizer { get; init; } = new();

    /// <summary>Length that the gradient is clipped to; 0 for no clipping.</summary>
    public double MaximumGradientNorm { get; init; } = 1;

    /// <summary>What first values and the order of rows are drawn from.</summary>
    public int Seed { get; init; }

    /// <summary>Steps from one evaluation to the next; null: at the end of each pass.</summary>
    public int? EvaluationInterval { get; init; }

    /// <summary>Evaluations without improvement after which the run stops with the best adapter so far; 0: it goes on to the end.</summary>
    public int Patience { get; init; }

    /// <summary>Steps from one checkpoint to the next; 0 for none.</summary>
    public int CheckpointInterval { get; init; } = 100;

    /// <summary>Whether activations are computed again in the backward pass instead of kept: less memory, a third more work.</summary>
    public bool CheckpointActivations { get; init; }

    /// <summary>Score of full fine-tuning on the same data, which the report compares with; null where it is not known.</summary>
    public double? FullScore { get; init; }

    /// <summary>Refuses values that are out of range or contradict each other, all at once.</summary>
    /// <exception cref="TrainingOptionsException">Something is.</exception>
    public void Validate()
    {
        var errors = new List<string>();
        Expect(errors, Method.Length > 0, "method is empty; name one, such as lora.");
        Expect(errors, DataFile.Length > 0, "there is no data; name a JSONL file with rows to train on.");
        InRange(errors, "eval share", EvaluationShare, 0, 0.9);
        Expect(errors, EvaluationFile is null || EvaluationShare == 0, "both an eval file and an eval share are given; give one.");
        InRange(errors, "rank", Rank, 1, GreatestRank);
        Expect(errors, Rank is null || !ChoosesRank, "both a rank and its choice are asked for; ask for one.");
        Expect(errors, Ranks.Policies.RankPolicies.Names.Contains(RankPolicy), $"the rank policy is {RankPolicy}; expected {string.Join(", ", Ranks.Policies.RankPolicies.Names)}.");
        Check(errors, Growth);
        Expect(errors, Growth is null || EvaluationFile is not null || EvaluationShare > 0, "a growing rank needs rows to evaluate on; give an eval file or share.");
        Positive(errors, "gate strength", Gates.Strength);
        Positive(errors, "gate rate ratio", Gates.RateRatio);
        InRange(errors, "gate threshold", Gates.Threshold, 0, 1);
        Positive(errors, "alpha", Alpha);
        Expect(errors, Targets.All(target => target.Length > 0), "targets has an empty name.");
        Positive(errors, "LoRA+ ratio", RateRatioOfB);
        InRange(errors, "virtual tokens", VirtualTokens, 1, GreatestRank);
        Positive(errors, "beta", Beta);
        InRange(errors, "label smoothing", LabelSmoothing, 0, 1);
        Expect(errors, Loss == LossKind.Supervised || LabelSmoothing == 0, $"label smoothing is {LabelSmoothing} and the loss {Loss}; only supervised training has it.");
        InRange(errors, "max length", MaximumLength, 2, GreatestCount);
        InRange(errors, "steps", Steps, 1, GreatestCount);
        Positive(errors, "epochs", Epochs);
        Expect(errors, Steps is null || Epochs is null, "both steps and epochs are given; give one.");
        InRange(errors, "batch tokens", BatchTokens, 1, GreatestCount);
        InRange(errors, "batch rows", BatchRows, 1, GreatestCount);
        Expect(errors, BatchTokens is null || BatchRows is null, "both batch tokens and batch rows are given; give one.");
        InRange(errors, "accumulation steps", AccumulationSteps, 1, GreatestCount);
        Positive(errors, "learning rate", LearningRate);
        InRange(errors, "warm-up steps", WarmupSteps, 0, GreatestCount);
        Expect(errors, WarmupSteps is not { } warmup || Steps is not { } steps || warmup <= steps, $"warm-up takes {WarmupSteps} steps and the run {Steps}; warm up for fewer.");
        Check(errors, Optimizer);
        InRange(errors, "max gradient norm", MaximumGradientNorm, 0, double.MaxValue);
        InRange(errors, "eval interval", EvaluationInterval, 1, GreatestCount);
        InRange(errors, "patience", Patience, 0, GreatestCount);
        Expect(errors, Patience == 0 || EvaluationFile is not null || EvaluationShare > 0, "patience needs rows to evaluate on; give an eval file or share.");
        InRange(errors, "checkpoint interval", CheckpointInterval, 0, GreatestCount);
        InRange(errors, "full score", FullScore, 0, 1);
        if (errors.Count > 0)
        {
            throw new TrainingOptionsException(string.Join(' ', errors));
        }
    }

    private static void Check(List<string> errors, OptimizerOptions optimizer)
    {
        InRange(errors, "beta1", optimizer.Beta1, 0, 0.9999999);
        InRange(errors, "beta2", optimizer.Beta2, 0, 0.9999999);
        Positive(errors, "epsilon", optimizer.Epsilon);
        InRange(errors, "weight decay", optimizer.WeightDecay, 0, 1);
        InRange(errors, "momentum", optimizer.Momentum, 0, 0.9999999);
        InRange(errors, "decay exponent", optimizer.DecayExponent, -10, 0);
        Positive(errors, "clip threshold", optimizer.ClipThreshold);
    }

    private static void Check(List<string> errors, RankGrowth? growth)
    {
        InRange(errors, "growth window", growth?.Window, 2, GreatestCount);
        Positive(errors, "growth plateau", growth?.Plateau);
        Expect(errors, growth is null || growth.Factor > 1, $"the growth factor is {growth?.Factor}; expected more than 1.");
        InRange(errors, "max rank", growth?.MaximumRank, 1, GreatestRank);
    }

    private static void InRange(List<string> errors, string name, double? value, double least, double greatest) =>
        Expect(errors, value is not { } given || (given >= least && given <= greatest), FormattableString.Invariant($"{name} is {value}; expected {least} to {greatest}."));

    private static void Positive(List<string> errors, string name, double? value) =>
        Expect(errors, value is not { } given || (given > 0 && double.IsFinite(given)), FormattableString.Invariant($"{name} is {value}; expected more than 0."));

    private static void Expect(List<string> errors, bool isRight, string error)
    {
        if (!isRight)
        {
            errors.Add(error);
        }
    }
}
