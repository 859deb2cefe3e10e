using System.Text.Json.Nodes;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Training.Data;
using LoraServe.Training.Losses;
using LoraServe.Training.Optimizers;
using LoraServe.Training.Ranks;
using LoraServe.Training.Ranks.Policies;

namespace LoraServe.Training.Options;

/// <summary>Everything that decides what a run makes: the same settings and files give the same adapter. Null stands for what the method usually has.</summary>
public sealed record TrainingJobOptions
{
    private const int GreatestRank = 4096;
    private const int GreatestCount = 1 << 30;
    private const int GreatestEpochs = 10_000; // whose batches are counted before the first step
    private const int GreatestAccumulation = 1 << 16; // whose examples are one step, which nothing interrupts

    /// <summary>The method's name, such as <c>lora</c>, <c>dora</c>, <c>ia3</c>, <c>prompt</c> or <c>full</c>.</summary>
    public string Method { get; init; } = "lora";

    /// <summary>Rows to train on: a JSONL file.</summary>
    public string DataFile { get; init; } = "";

    /// <summary>Rows to evaluate on: a JSONL file; null for none, or for <see cref="EvaluationShare"/>.</summary>
    public string? EvaluationFile { get; init; }

    /// <summary>Share of <see cref="DataFile"/> that is kept apart for evaluation where there is no file of its own.</summary>
    public double EvaluationShare { get; init; }

    /// <summary>The form of the rows; null: what each row's fields say.</summary>
    public RowFormat? Format { get; init; }

    /// <summary>What becomes of rows that are longer than <see cref="MaximumLength"/> or have nothing to learn; null: long ones are cut, and one with nothing to learn is refused.</summary>
    public LongRows? LongRows { get; init; }

    /// <summary>Rank of low-rank updates, or the bottleneck's width; null: what the method usually has, or the adapter that is gone on from.</summary>
    public int? Rank { get; init; }

    /// <summary>Whether the rank is chosen for the model and the data instead.</summary>
    public bool ChoosesRank { get; init; }

    /// <summary>Which policy chooses it: a name of <see cref="RankPolicies"/>.</summary>
    public string RankPolicy { get; init; } = RankPolicies.Usual;

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

    /// <summary>Whether rows are put through the base's chat template although the adapter that is gone on from brings its own; null: through its own.</summary>
    public bool? KeepsBaseTemplate { get; init; }

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
    public void Validate() => Validate(setting => setting);

    /// <summary>Refuses values that are out of range or contradict each other, all at once.</summary>
    /// <param name="nameOf">What whoever gave the settings calls them, given what they are called here in small letters, such as <c>batch rows</c>.</param>
    /// <exception cref="TrainingOptionsException">Something is.</exception>
    public void Validate(Func<string, string> nameOf)
    {
        ArgumentNullException.ThrowIfNull(nameOf);
        var check = new SettingsCheck(nameOf);
        string evaluation = $"give {nameOf("eval file")} or {nameOf("eval share")}";
        bool evaluates = EvaluationFile is not null || EvaluationShare > 0;
        check.Expect(Method.Length > 0, $"{nameOf("method")} is empty; name one, such as lora.");
        check.Expect(DataFile.Length > 0, $"there is no {nameOf("data")}; name a JSONL file with rows to train on.");
        check.InRange("eval share", EvaluationShare, 0, 0.9);
        check.Expect(EvaluationFile is null || EvaluationShare == 0, $"both {nameOf("eval file")} and {nameOf("eval share")} are given; give one.");
        check.InRange("rank", Rank, 1, GreatestRank);
        check.Expect(Rank is null || !ChoosesRank, $"both {nameOf("rank")} and {nameOf("rank policy")} are given; give one.");
        check.Expect(Growth is null || !ChoosesRank, $"both {nameOf("growth")} and {nameOf("rank policy")} are given; give one.");
        check.Expect(RankPolicies.Names.Contains(RankPolicy), $"{nameOf("rank policy")} is {RankPolicy}; expected {string.Join(", ", RankPolicies.Names)}.");
        check.InRange("growth window", Growth?.Window, 2, GreatestCount);
        check.Positive("growth plateau", Growth?.Plateau);
        check.Expect(Growth is null || (Growth.Factor > 1 && double.IsFinite(Growth.Factor)), FormattableString.Invariant($"{nameOf("growth factor")} is {Growth?.Factor}; expected more than 1."));
        check.InRange("max rank", Growth?.MaximumRank, 1, GreatestRank);
        check.Expect(Growth is null || evaluates, $"{nameOf("growth")} needs rows to evaluate on; {evaluation}.");
        check.Positive("gate strength", Gates.Strength);
        check.Positive("gate rate ratio", Gates.RateRatio);
        check.InRange("gate threshold", Gates.Threshold, 0, 1);
        check.Positive("alpha", Alpha);
        check.Expect(Targets.All(target => target.Length > 0), $"{nameOf("targets")} has an empty name.");
        check.Positive("LoRA+ ratio", RateRatioOfB);
        check.InRange("virtual tokens", VirtualTokens, 1, GreatestRank);
        check.Positive("beta", Beta);
        check.InRange("label smoothing", LabelSmoothing, 0, 1);
        check.Expect(Loss == LossKind.Supervised || LabelSmoothing == 0, FormattableString.Invariant($"{nameOf("label smoothing")} is {LabelSmoothing} and {nameOf("loss")} is {Loss}; only supervised training has it."));
        check.InRange("max length", MaximumLength, 2, GreatestCount);
        check.InRange("steps", Steps, 1, GreatestCount);
        check.Positive("epochs", Epochs);
        check.Expect(Epochs is not > GreatestEpochs || double.IsInfinity(Epochs.Value), FormattableString.Invariant($"{nameOf("epochs")} is {Epochs}; expected at most {GreatestEpochs}."));
        check.Expect(Steps is null || Epochs is null, $"both {nameOf("steps")} and {nameOf("epochs")} are given; give one.");
        check.InRange("batch tokens", BatchTokens, 1, GreatestCount);
        check.InRange("batch rows", BatchRows, 1, GreatestCount);
        check.Expect(BatchTokens is null || BatchRows is null, $"both {nameOf("batch tokens")} and {nameOf("batch rows")} are given; give one.");
        check.InRange("accumulation steps", AccumulationSteps, 1, GreatestAccumulation);
        check.Positive("learning rate", LearningRate);
        check.InRange("warm-up steps", WarmupSteps, 0, GreatestCount);
        check.Expect(WarmupSteps is not { } warmup || Steps is not { } steps || warmup <= steps, $"{nameOf("warm-up steps")} is {WarmupSteps} and {nameOf("steps")} is {Steps}; warm up for fewer.");
        check.InRange("beta1", Optimizer.Beta1, 0, 0.9999999);
        check.InRange("beta2", Optimizer.Beta2, 0, 0.9999999);
        check.Positive("epsilon", Optimizer.Epsilon);
        check.InRange("weight decay", Optimizer.WeightDecay, 0, 1);
        check.InRange("momentum", Optimizer.Momentum, 0, 0.9999999);
        check.InRange("decay exponent", Optimizer.DecayExponent, -10, 0);
        check.Positive("clip threshold", Optimizer.ClipThreshold);
        check.InRange("max gradient norm", MaximumGradientNorm, 0, double.MaxValue);
        check.InRange("eval interval", EvaluationInterval, 1, GreatestCount);
        check.InRange("patience", Patience, 0, GreatestCount);
        check.Expect(Patience == 0 || evaluates, $"{nameOf("patience")} needs rows to evaluate on; {evaluation}.");
        check.InRange("checkpoint interval", CheckpointInterval, 0, GreatestCount);
        check.InRange("full score", FullScore, 0, 1);
        check.ThrowIfWrong();
    }
}
