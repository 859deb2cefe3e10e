using System.Text.Json.Nodes;
using Google.Protobuf;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Jobs.Records;
using LoraServe.Training.Data;
using LoraServe.Training.Losses;
using LoraServe.Training.Optimizers;
using LoraServe.Training.Options;
using Proto = LoraServe.V1;

namespace LoraServe.Server.Surfaces.Grpc.Training;

/// <summary>What callers ask of training, as records. What no record can hold is refused with the name of the field.</summary>
internal static class RequestMapping
{
    private static readonly Dictionary<string, string> s_fields = new(StringComparer.Ordinal)
    {
        ["method"] = "method.method",
        ["rank"] = "method.rank",
        ["rank policy"] = "method.rank_policy",
        ["growth"] = "method.dynamic_rank",
        ["growth window"] = "method.dynamic_rank.window",
        ["growth plateau"] = "method.dynamic_rank.plateau",
        ["growth factor"] = "method.dynamic_rank.factor",
        ["max rank"] = "method.dynamic_rank.max_rank",
        ["gate strength"] = "method.rank_gates.strength",
        ["gate rate ratio"] = "method.rank_gates.rate_ratio",
        ["gate threshold"] = "method.rank_gates.threshold",
        ["alpha"] = "method.alpha",
        ["targets"] = "method.target_modules",
        ["LoRA+ ratio"] = "method.lora_plus_ratio",
        ["virtual tokens"] = "method.virtual_tokens",
        ["data"] = "training_data",
        ["eval file"] = "validation_data",
        ["eval share"] = "validation_split",
        ["full score"] = "full_score",
        ["expected version"] = "publish.expected_version",
        ["steps"] = "hyperparameters.max_steps",
        ["epochs"] = "hyperparameters.epochs",
        ["batch rows"] = "hyperparameters.batch_size",
        ["batch tokens"] = "hyperparameters.batch_tokens",
        ["accumulation steps"] = "hyperparameters.gradient_accumulation_steps",
        ["learning rate"] = "hyperparameters.learning_rate",
        ["warm-up steps"] = "hyperparameters.warmup_steps",
        ["weight decay"] = "hyperparameters.weight_decay",
        ["beta1"] = "hyperparameters.adam_beta1",
        ["beta2"] = "hyperparameters.adam_beta2",
        ["epsilon"] = "hyperparameters.adam_epsilon",
        ["momentum"] = "hyperparameters.momentum",
        ["decay exponent"] = "hyperparameters.decay_rate",
        ["clip threshold"] = "hyperparameters.clip_threshold",
        ["max gradient norm"] = "hyperparameters.max_grad_norm",
        ["loss"] = "hyperparameters.loss",
        ["beta"] = "hyperparameters.beta",
        ["label smoothing"] = "hyperparameters.label_smoothing",
        ["max length"] = "hyperparameters.max_length",
        ["eval interval"] = "hyperparameters.eval_steps",
        ["patience"] = "hyperparameters.early_stopping_patience",
        ["checkpoint interval"] = "hyperparameters.save_steps",
    };

    /// <summary>The field of a request that is a setting, by what the setting is called in messages.</summary>
    public static string FieldOf(string setting) => s_fields[setting];

    /// <exception cref="TrainingOptionsException">A choice is unknown, or a number larger than any setting.</exception>
    public static JobRequest ToDomain(Proto.StartTrainingRequest message) => new()
    {
        Method = message.Method is { } method ? ToDomain(method) : null,
        Hyperparameters = message.Hyperparameters is { } how ? ToDomain(how) : null,
        TrainingData = message.TrainingData is { } rows ? ToDomain(rows) : null,
        ValidationData = message.ValidationData is { } others ? ToDomain(others) : null,
        ValidationSplit = message.ValidationSplit,
        Publish = message.Publish is { } target ? ToDomain(target) : null,
        FullScore = message.HasFullScore ? message.FullScore : null,
    };

    private static MethodRequest ToDomain(Proto.MethodOptions method) => new()
    {
        Method = method.Method,
        Rank = method.HasRank ? Whole(method.Rank, "rank") : null,
        AutoRank = method.AutoRank,
        Alpha = method.HasAlpha ? method.Alpha : null,
        TargetModules = [.. method.TargetModules],
        LoraPlusRatio = method.HasLoraPlusRatio ? method.LoraPlusRatio : null,
        VirtualTokens = method.HasVirtualTokens ? Whole(method.VirtualTokens, "virtual tokens") : null,
        PromptText = method.PromptText,
        PeftConfig = method.PeftConfig is { } config ? (JsonObject)JsonNode.Parse(JsonFormatter.Default.Format(config))! : null,
        InitFrom = method.InitFrom,
        KeepBaseTemplate = method.KeepBaseTemplate,
        RankPolicy = method.RankPolicy,
        DynamicRank = method.DynamicRank is { } growth ? ToDomain(growth) : null,
        RankGates = method.RankGates is { } gates ? ToDomain(gates) : null,
    };

    private static RankGrowthSettings ToDomain(Proto.DynamicRank growth) => new()
    {
        MaxRank = growth.HasMaxRank ? Whole(growth.MaxRank, "max rank") : null,
        Window = growth.HasWindow ? Whole(growth.Window, "growth window") : null,
        Plateau = growth.HasPlateau ? growth.Plateau : null,
        Factor = growth.HasFactor ? growth.Factor : null,
    };

    private static RankGateSettings ToDomain(Proto.RankGates gates) => new()
    {
        Penalty = gates.Penalty switch
        {
            Proto.GatePenalty.L1 => GatePenalty.L1,
            Proto.GatePenalty.HardConcrete => GatePenalty.HardConcrete,
            _ => throw Unknown("method.rank_gates.penalty", (int)gates.Penalty),
        },
        Strength = gates.HasStrength ? gates.Strength : null,
        RateRatio = gates.HasRateRatio ? gates.RateRatio : null,
        Threshold = gates.HasThreshold ? gates.Threshold : null,
    };

    private static Hyperparameters ToDomain(Proto.Hyperparameters how) => new()
    {
        MaxSteps = how.HasMaxSteps ? Whole(how.MaxSteps, "steps") : null,
        Epochs = how.HasEpochs ? how.Epochs : null,
        BatchSize = how.HasBatchSize ? Whole(how.BatchSize, "batch rows") : null,
        BatchTokens = how.HasBatchTokens ? Whole(how.BatchTokens, "batch tokens") : null,
        GradientAccumulationSteps = how.HasGradientAccumulationSteps ? Whole(how.GradientAccumulationSteps, "accumulation steps") : null,
        LearningRate = how.HasLearningRate ? how.LearningRate : null,
        LrScheduler = how.LrScheduler switch
        {
            Proto.LrScheduler.Linear => LearningRateSchedule.Linear,
            Proto.LrScheduler.Cosine => LearningRateSchedule.Cosine,
            Proto.LrScheduler.Constant => LearningRateSchedule.Constant,
            _ => throw Unknown("hyperparameters.lr_scheduler", (int)how.LrScheduler),
        },
        WarmupSteps = how.HasWarmupSteps ? Whole(how.WarmupSteps, "warm-up steps") : null,
        Optimizer = how.Optimizer switch
        {
            Proto.OptimizerType.Adamw => OptimizerKind.AdamW,
            Proto.OptimizerType.Sgd => OptimizerKind.Sgd,
            Proto.OptimizerType.Lion => OptimizerKind.Lion,
            Proto.OptimizerType.Adafactor => OptimizerKind.Adafactor,
            _ => throw Unknown("hyperparameters.optimizer", (int)how.Optimizer),
        },
        WeightDecay = how.WeightDecay,
        MaxGradNorm = how.HasMaxGradNorm ? how.MaxGradNorm : null,
        Loss = how.Loss switch
        {
            Proto.TrainingLoss.Sft => LossKind.Supervised,
            Proto.TrainingLoss.Dpo => LossKind.Dpo,
            Proto.TrainingLoss.Orpo => LossKind.Orpo,
            Proto.TrainingLoss.Kto => LossKind.Kto,
            _ => throw Unknown("hyperparameters.loss", (int)how.Loss),
        },
        Beta = how.HasBeta ? how.Beta : null,
        LabelSmoothing = how.LabelSmoothing,
        TrainOnPrompt = how.TrainOnPrompt,
        MaxLength = how.HasMaxLength ? Whole(how.MaxLength, "max length") : null,
        RowFormat = how.RowFormat switch
        {
            Proto.RowFormat.Auto => null,
            Proto.RowFormat.Prompt => RowFormat.Prompt,
            Proto.RowFormat.Messages => RowFormat.Messages,
            Proto.RowFormat.Sharegpt => RowFormat.ShareGpt,
            Proto.RowFormat.Alpaca => RowFormat.Alpaca,
            Proto.RowFormat.Preference => RowFormat.Preference,
            Proto.RowFormat.Text => RowFormat.Text,
            _ => throw Unknown("hyperparameters.row_format", (int)how.RowFormat),
        },
        LongRows = how.LongRows switch
        {
            Proto.LongRows.Truncate => null,
            Proto.LongRows.Refuse => LongRows.Refuse,
            Proto.LongRows.Skip => LongRows.Skip,
            _ => throw Unknown("hyperparameters.long_rows", (int)how.LongRows),
        },
        Seed = how.Seed,
        EvalSteps = how.HasEvalSteps ? Whole(how.EvalSteps, "eval interval") : null,
        EarlyStoppingPatience = Whole(how.EarlyStoppingPatience, "patience"),
        SaveSteps = how.HasSaveSteps ? Whole(how.SaveSteps, "checkpoint interval") : null,
        GradientCheckpointing = how.GradientCheckpointing,
        AdamBeta1 = how.HasAdamBeta1 ? how.AdamBeta1 : null,
        AdamBeta2 = how.HasAdamBeta2 ? how.AdamBeta2 : null,
        AdamEpsilon = how.HasAdamEpsilon ? how.AdamEpsilon : null,
        Momentum = how.Momentum,
        DecayRate = how.HasDecayRate ? how.DecayRate : null,
        ClipThreshold = how.HasClipThreshold ? how.ClipThreshold : null,
    };

    private static DataSource ToDomain(Proto.TrainingData data) => new()
    {
        UploadId = data.HasUploadId ? data.UploadId : null,
        Path = data.HasPath ? data.Path : null,
    };

    private static PublishTarget ToDomain(Proto.PublishTarget target) => new()
    {
        Name = target.Name,
        ExpectedVersion = target.HasExpectedVersion ? Whole(target.ExpectedVersion, "expected version") : null,
        Aliases = [.. target.Aliases],
    };

    /// <summary>A number as records have it; what is larger than any setting is refused as it was given.</summary>
    private static int Whole(uint value, string setting) =>
        value <= int.MaxValue ? (int)value : throw new TrainingOptionsException($"{FieldOf(setting)} is {value}; expected at most {int.MaxValue}.");

    private static TrainingOptionsException Unknown(string field, int value) => new($"{field} is {value}, a choice that this server does not know; expected one of the service's description.");
}
