using System.Text.Json.Nodes;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using LoraServe.Training;
using LoraServe.Training.Optimizers;
using LoraServe.Training.Reports;
using Proto = LoraServe.V1;

namespace LoraServe.Server.Training;

/// <summary>What callers ask for as settings, and what runs say as messages.</summary>
internal static class TrainingMapping
{
    /// <summary>The settings of a job, still without its files.</summary>
    /// <exception cref="TrainingOptionsException">Fields contradict each other.</exception>
    public static TrainingJobOptions ToOptions(Proto.StartTrainingRequest request)
    {
        Proto.MethodOptions method = request.Method ?? new Proto.MethodOptions();
        Proto.Hyperparameters how = request.Hyperparameters ?? new Proto.Hyperparameters();
        var defaults = new TrainingJobOptions();
        if (method.AutoRank && method.HasRank)
        {
            throw new TrainingOptionsException("both rank and auto_rank are given; give one.");
        }

        return defaults with
        {
            Method = method.Method.Length > 0 ? method.Method : defaults.Method,
            Rank = method.HasRank ? Whole(method.Rank) : defaults.Rank,
            ChoosesRank = method.AutoRank,
            Alpha = method.HasAlpha ? method.Alpha : null,
            Targets = [.. method.TargetModules],
            RateRatioOfB = method.HasLoraPlusRatio ? method.LoraPlusRatio : null,
            VirtualTokens = method.HasVirtualTokens ? Whole(method.VirtualTokens) : null,
            PromptText = method.PromptText.Length > 0 ? method.PromptText : null,
            PeftConfig = method.PeftConfig is { } config ? (JsonObject)JsonNode.Parse(JsonFormatter.Default.Format(config))! : null,
            EvaluationShare = request.ValidationSplit,
            Steps = how.HasMaxSteps ? Whole(how.MaxSteps) : null,
            Epochs = how.HasEpochs ? how.Epochs : null,
            BatchRows = how.HasBatchSize ? Whole(how.BatchSize) : null,
            BatchTokens = how.HasBatchTokens ? Whole(how.BatchTokens) : null,
            AccumulationSteps = how.HasGradientAccumulationSteps ? Whole(how.GradientAccumulationSteps) : defaults.AccumulationSteps,
            LearningRate = how.HasLearningRate ? how.LearningRate : null,
            Schedule = how.LrScheduler switch
            {
                Proto.LrScheduler.Linear => LearningRateSchedule.Linear,
                Proto.LrScheduler.Cosine => LearningRateSchedule.Cosine,
                Proto.LrScheduler.Constant => LearningRateSchedule.Constant,
                _ => throw Unknown("lr_scheduler", (int)how.LrScheduler),
            },
            WarmupSteps = how.HasWarmupSteps ? Whole(how.WarmupSteps) : null,
            Optimizer = new OptimizerOptions
            {
                Kind = how.Optimizer switch
                {
                    Proto.OptimizerType.Adamw => OptimizerKind.AdamW,
                    Proto.OptimizerType.Sgd => OptimizerKind.Sgd,
                    Proto.OptimizerType.Lion => OptimizerKind.Lion,
                    Proto.OptimizerType.Adafactor => OptimizerKind.Adafactor,
                    _ => throw Unknown("optimizer", (int)how.Optimizer),
                },
                WeightDecay = how.WeightDecay,
            },
            MaximumGradientNorm = how.HasMaxGradNorm ? how.MaxGradNorm : defaults.MaximumGradientNorm,
            Loss = how.Loss switch
            {
                Proto.TrainingLoss.Sft => LossKind.Supervised,
                Proto.TrainingLoss.Dpo => LossKind.Dpo,
                Proto.TrainingLoss.Orpo => LossKind.Orpo,
                _ => throw Unknown("loss", (int)how.Loss),
            },
            Beta = how.HasBeta ? how.Beta : defaults.Beta,
            LabelSmoothing = how.LabelSmoothing,
            LossOnPrompt = how.TrainOnPrompt,
            MaximumLength = how.HasMaxLength ? Whole(how.MaxLength) : null,
            Seed = how.Seed,
            EvaluationInterval = how.HasEvalSteps ? Whole(how.EvalSteps) : null,
            Patience = Whole(how.EarlyStoppingPatience),
            CheckpointInterval = how.HasSaveSteps ? Whole(how.SaveSteps) : defaults.CheckpointInterval,
            CheckpointActivations = how.GradientCheckpointing,
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

    /// <summary>What is too large for any setting is refused as out of its range.</summary>
    private static int Whole(uint value) => (int)Math.Min(value, int.MaxValue);

    private static TrainingOptionsException Unknown(string field, int value) => new($"{field} is {value}, which has no meaning here; see the service's description for those that have.");
}
