using System.Text.Json.Nodes;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using LoraServe.Training;
using LoraServe.Training.Optimizers;
using LoraServe.Training.Ranks;
using LoraServe.Training.Reports;
using Proto = LoraServe.V1;

namespace LoraServe.Server.Training;

/// <summary>What callers ask for as settings, and what runs say as messages.</summary>
internal static class TrainingMapping
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

    /// <summary>The settings of a job, still without its files.</summary>
    /// <exception cref="TrainingOptionsException">A choice is unknown, or a number larger than any setting.</exception>
    public static TrainingJobOptions ToOptions(Proto.StartTrainingRequest request)
    {
        Proto.MethodOptions method = request.Method ?? new Proto.MethodOptions();
        Proto.Hyperparameters how = request.Hyperparameters ?? new Proto.Hyperparameters();
        var defaults = new TrainingJobOptions();
        return defaults with
        {
            Method = method.Method.Length > 0 ? method.Method : defaults.Method,
            Rank = method.HasRank ? Whole(method.Rank, "rank") : defaults.Rank,
            ChoosesRank = method.AutoRank || method.RankPolicy.Length > 0,
            RankPolicy = method.RankPolicy.Length > 0 ? method.RankPolicy : defaults.RankPolicy,
            Growth = method.DynamicRank is { } growth ? ToOptions(growth) : null,
            Gates = method.RankGates is { } gates ? ToOptions(gates) : defaults.Gates,
            Alpha = method.HasAlpha ? method.Alpha : null,
            Targets = [.. method.TargetModules],
            RateRatioOfB = method.HasLoraPlusRatio ? method.LoraPlusRatio : null,
            VirtualTokens = method.HasVirtualTokens ? Whole(method.VirtualTokens, "virtual tokens") : null,
            PromptText = method.PromptText.Length > 0 ? method.PromptText : null,
            PeftConfig = method.PeftConfig is { } config ? (JsonObject)JsonNode.Parse(JsonFormatter.Default.Format(config))! : null,
            EvaluationShare = request.ValidationSplit,
            Steps = how.HasMaxSteps ? Whole(how.MaxSteps, "steps") : null,
            Epochs = how.HasEpochs ? how.Epochs : null,
            BatchRows = how.HasBatchSize ? Whole(how.BatchSize, "batch rows") : null,
            BatchTokens = how.HasBatchTokens ? Whole(how.BatchTokens, "batch tokens") : null,
            AccumulationSteps = how.HasGradientAccumulationSteps ? Whole(how.GradientAccumulationSteps, "accumulation steps") : defaults.AccumulationSteps,
            LearningRate = how.HasLearningRate ? how.LearningRate : null,
            Schedule = how.LrScheduler switch
            {
                Proto.LrScheduler.Linear => LearningRateSchedule.Linear,
                Proto.LrScheduler.Cosine => LearningRateSchedule.Cosine,
                Proto.LrScheduler.Constant => LearningRateSchedule.Constant,
                _ => throw Unknown("hyperparameters.lr_scheduler", (int)how.LrScheduler),
            },
            WarmupSteps = how.HasWarmupSteps ? Whole(how.WarmupSteps, "warm-up steps") : null,
            Optimizer = ToOptimizer(how),
            MaximumGradientNorm = how.HasMaxGradNorm ? how.MaxGradNorm : defaults.MaximumGradientNorm,
            Loss = how.Loss switch
            {
                Proto.TrainingLoss.Sft => LossKind.Supervised,
                Proto.TrainingLoss.Dpo => LossKind.Dpo,
                Proto.TrainingLoss.Orpo => LossKind.Orpo,
                Proto.TrainingLoss.Kto => LossKind.Kto,
                _ => throw Unknown("hyperparameters.loss", (int)how.Loss),
            },
            Beta = how.HasBeta ? how.Beta : defaults.Beta,
            LabelSmoothing = how.LabelSmoothing,
            LossOnPrompt = how.TrainOnPrompt,
            MaximumLength = how.HasMaxLength ? Whole(how.MaxLength, "max length") : null,
            Seed = how.Seed,
            EvaluationInterval = how.HasEvalSteps ? Whole(how.EvalSteps, "eval interval") : null,
            Patience = Whole(how.EarlyStoppingPatience, "patience"),
            CheckpointInterval = how.HasSaveSteps ? Whole(how.SaveSteps, "checkpoint interval") : defaults.CheckpointInterval,
            CheckpointActivations = how.GradientCheckpointing,
            FullScore = request.HasFullScore ? request.FullScore : null,
        };
    }

    /// <summary>The field of a request that is a setting, by what the setting is called in messages.</summary>
    public static string FieldOf(string setting) => s_fields[setting];

    private static RankGrowth ToOptions(Proto.DynamicRank rank)
    {
        var defaults = new RankGrowth();
        return new RankGrowth
        {
            MaximumRank = rank.HasMaxRank ? Whole(rank.MaxRank, "max rank") : defaults.MaximumRank,
            Window = rank.HasWindow ? Whole(rank.Window, "growth window") : defaults.Window,
            Plateau = rank.HasPlateau ? rank.Plateau : defaults.Plateau,
            Factor = rank.HasFactor ? rank.Factor : defaults.Factor,
        };
    }

    private static GateOptions ToOptions(Proto.RankGates gates)
    {
        var defaults = new GateOptions();
        return new GateOptions
        {
            Penalty = gates.Penalty switch
            {
                Proto.GatePenalty.L1 => GatePenalty.L1,
                Proto.GatePenalty.HardConcrete => GatePenalty.HardConcrete,
                _ => throw Unknown("method.rank_gates.penalty", (int)gates.Penalty),
            },
            Strength = gates.HasStrength ? gates.Strength : defaults.Strength,
            RateRatio = gates.HasRateRatio ? gates.RateRatio : defaults.RateRatio,
            Threshold = gates.HasThreshold ? gates.Threshold : null,
        };
    }

    private static OptimizerOptions ToOptimizer(Proto.Hyperparameters how)
    {
        var defaults = new OptimizerOptions();
        return new OptimizerOptions
        {
            Kind = how.Optimizer switch
            {
                Proto.OptimizerType.Adamw => OptimizerKind.AdamW,
                Proto.OptimizerType.Sgd => OptimizerKind.Sgd,
                Proto.OptimizerType.Lion => OptimizerKind.Lion,
                Proto.OptimizerType.Adafactor => OptimizerKind.Adafactor,
                _ => throw Unknown("hyperparameters.optimizer", (int)how.Optimizer),
            },
            Beta1 = how.HasAdamBeta1 ? how.AdamBeta1 : null,
            Beta2 = how.HasAdamBeta2 ? how.AdamBeta2 : null,
            Epsilon = how.HasAdamEpsilon ? how.AdamEpsilon : null,
            WeightDecay = how.WeightDecay,
            Momentum = how.Momentum,
            DecayExponent = how.HasDecayRate ? how.DecayRate : defaults.DecayExponent,
            ClipThreshold = how.HasClipThreshold ? how.ClipThreshold : defaults.ClipThreshold,
        };
    }

    public static Proto.TrainingProgress ToMessage(TrainingProgress progress)
    {
        var message = new Proto.TrainingProgress
        {
            Step = (uint)progress.Step,
            TotalSteps = (uint)progress.TotalSteps,
            Tokens = (ulong)progress.Tokens,
            Loss = progress.Loss,
            LearningRate = progress.LearningRate,
            GradNorm = progress.GradientNorm,
            TokensPerSecond = progress.TokensPerSecond,
            SecondsLeft = progress.SecondsLeft,
            At = progress.Time.ToTimestamp(),
        };
        if (progress.EvaluationLoss is { } loss)
        {
            message.EvalLoss = loss;
        }

        if (progress.EvaluationScore is { } score)
        {
            message.EvalScore = score;
        }

        if (progress.Rank is { } rank)
        {
            message.Rank = (uint)rank;
        }

        return message;
    }

    public static Proto.TrainingResult ToMessage(RunSummary summary)
    {
        var message = new Proto.TrainingResult
        {
            TrainableParameters = (ulong)summary.TrainableParameters,
            AllParameters = (ulong)summary.AllParameters,
            AdapterBytes = (ulong)summary.AdapterBytes,
            BaseBytes = (ulong)summary.BaseBytes,
            PeakMemoryBytes = (ulong)summary.PeakMemoryBytes,
            Tokens = (ulong)summary.Tokens,
            TrainingSeconds = summary.TrainingTime.TotalSeconds,
            EvaluationSeconds = summary.EvaluationTime.TotalSeconds,
        };
        if (summary.BaseScore is { } before)
        {
            message.BaseScore = before;
        }

        if (summary.Score is { } score)
        {
            message.Score = score;
        }

        return message;
    }

    /// <summary>A number as settings have it; what is larger than any setting is refused as it was given.</summary>
    /// <exception cref="TrainingOptionsException">It is.</exception>
    public static int Whole(uint value, string setting) =>
        value <= int.MaxValue ? (int)value : throw new TrainingOptionsException($"{FieldOf(setting)} is {value}; expected at most {int.MaxValue}.");

    private static TrainingOptionsException Unknown(string field, int value) => new($"{field} is {value}, a choice that this server does not know; expected one of the service's description.");
}
