using Google.Protobuf.WellKnownTypes;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Jobs.Records;
using LoraServe.Training.Data;
using LoraServe.Training.Losses;
using LoraServe.Training.Optimizers;
using Proto = LoraServe.V1;

namespace LoraServe.Server.Surfaces.Grpc.Training;

/// <summary>What a job was asked for, back as a message: what was absent is absent again.</summary>
internal static class AskedMapping
{
    public static Proto.StartTrainingRequest ToMessage(JobRequest request)
    {
        var message = new Proto.StartTrainingRequest
        {
            Method = request.Method is { } method ? ToMessage(method) : null,
            Hyperparameters = request.Hyperparameters is { } how ? ToMessage(how) : null,
            TrainingData = request.TrainingData is { } rows ? ToMessage(rows) : null,
            ValidationData = request.ValidationData is { } others ? ToMessage(others) : null,
            ValidationSplit = request.ValidationSplit,
            Publish = request.Publish is { } target ? ToMessage(target) : null,
        };
        Optional.Set(request.FullScore, score => message.FullScore = score);
        return message;
    }

    private static Proto.MethodOptions ToMessage(MethodRequest method)
    {
        var message = new Proto.MethodOptions
        {
            Method = method.Method,
            AutoRank = method.AutoRank,
            TargetModules = { method.TargetModules },
            PromptText = method.PromptText,
            PeftConfig = method.PeftConfig is { } config ? Struct.Parser.ParseJson(config.ToJsonString()) : null,
            InitFrom = method.InitFrom,
            KeepBaseTemplate = method.KeepBaseTemplate,
            RankPolicy = method.RankPolicy,
            DynamicRank = method.DynamicRank is { } growth ? ToMessage(growth) : null,
            RankGates = method.RankGates is { } gates ? ToMessage(gates) : null,
        };
        Optional.Set(method.Rank, rank => message.Rank = (uint)rank);
        Optional.Set(method.Alpha, alpha => message.Alpha = alpha);
        Optional.Set(method.LoraPlusRatio, ratio => message.LoraPlusRatio = ratio);
        Optional.Set(method.VirtualTokens, tokens => message.VirtualTokens = (uint)tokens);
        return message;
    }

    private static Proto.DynamicRank ToMessage(RankGrowthSettings growth)
    {
        var message = new Proto.DynamicRank();
        Optional.Set(growth.MaxRank, rank => message.MaxRank = (uint)rank);
        Optional.Set(growth.Window, window => message.Window = (uint)window);
        Optional.Set(growth.Plateau, plateau => message.Plateau = plateau);
        Optional.Set(growth.Factor, factor => message.Factor = factor);
        return message;
    }

    private static Proto.RankGates ToMessage(RankGateSettings gates)
    {
        var message = new Proto.RankGates { Penalty = gates.Penalty == GatePenalty.HardConcrete ? Proto.GatePenalty.HardConcrete : Proto.GatePenalty.L1 };
        Optional.Set(gates.Strength, strength => message.Strength = strength);
        Optional.Set(gates.RateRatio, ratio => message.RateRatio = ratio);
        Optional.Set(gates.Threshold, threshold => message.Threshold = threshold);
        return message;
    }

    private static Proto.Hyperparameters ToMessage(Hyperparameters how)
    {
        var message = new Proto.Hyperparameters
        {
            LrScheduler = how.LrScheduler switch
            {
                LearningRateSchedule.Cosine => Proto.LrScheduler.Cosine,
                LearningRateSchedule.Constant => Proto.LrScheduler.Constant,
                _ => Proto.LrScheduler.Linear,
            },
            Optimizer = how.Optimizer switch
            {
                OptimizerKind.Sgd => Proto.OptimizerType.Sgd,
                OptimizerKind.Lion => Proto.OptimizerType.Lion,
                OptimizerKind.Adafactor => Proto.OptimizerType.Adafactor,
                _ => Proto.OptimizerType.Adamw,
            },
            WeightDecay = how.WeightDecay,
            Loss = how.Loss switch
            {
                LossKind.Dpo => Proto.TrainingLoss.Dpo,
                LossKind.Orpo => Proto.TrainingLoss.Orpo,
                LossKind.Kto => Proto.TrainingLoss.Kto,
                _ => Proto.TrainingLoss.Sft,
            },
            RowFormat = how.RowFormat switch
            {
                RowFormat.Prompt => Proto.RowFormat.Prompt,
                RowFormat.Messages => Proto.RowFormat.Messages,
                RowFormat.ShareGpt => Proto.RowFormat.Sharegpt,
                RowFormat.Alpaca => Proto.RowFormat.Alpaca,
                RowFormat.Preference => Proto.RowFormat.Preference,
                RowFormat.Text => Proto.RowFormat.Text,
                _ => Proto.RowFormat.Auto,
            },
            LongRows = how.LongRows switch
            {
                LongRows.Refuse => Proto.LongRows.Refuse,
                LongRows.Skip => Proto.LongRows.Skip,
                _ => Proto.LongRows.Truncate,
            },
            LabelSmoothing = how.LabelSmoothing,
            TrainOnPrompt = how.TrainOnPrompt,
            Seed = how.Seed,
            EarlyStoppingPatience = (uint)how.EarlyStoppingPatience,
            GradientCheckpointing = how.GradientCheckpointing,
            Momentum = how.Momentum,
        };
        Optional.Set(how.MaxSteps, steps => message.MaxSteps = (uint)steps);
        Optional.Set(how.Epochs, epochs => message.Epochs = epochs);
        Optional.Set(how.BatchSize, rows => message.BatchSize = (uint)rows);
        Optional.Set(how.BatchTokens, tokens => message.BatchTokens = (uint)tokens);
        Optional.Set(how.GradientAccumulationSteps, batches => message.GradientAccumulationSteps = (uint)batches);
        Optional.Set(how.LearningRate, rate => message.LearningRate = rate);
        Optional.Set(how.WarmupSteps, steps => message.WarmupSteps = (uint)steps);
        Optional.Set(how.MaxGradNorm, norm => message.MaxGradNorm = norm);
        Optional.Set(how.Beta, beta => message.Beta = beta);
        Optional.Set(how.MaxLength, length => message.MaxLength = (uint)length);
        Optional.Set(how.EvalSteps, steps => message.EvalSteps = (uint)steps);
        Optional.Set(how.SaveSteps, steps => message.SaveSteps = (uint)steps);
        Optional.Set(how.AdamBeta1, beta => message.AdamBeta1 = beta);
        Optional.Set(how.AdamBeta2, beta => message.AdamBeta2 = beta);
        Optional.Set(how.AdamEpsilon, epsilon => message.AdamEpsilon = epsilon);
        Optional.Set(how.DecayRate, rate => message.DecayRate = rate);
        Optional.Set(how.ClipThreshold, threshold => message.ClipThreshold = threshold);
        return message;
    }

    private static Proto.TrainingData ToMessage(DataSource data) => data switch
    {
        { UploadId: { } id } => new Proto.TrainingData { UploadId = id },
        { Path: { } path } => new Proto.TrainingData { Path = path },
        _ => new Proto.TrainingData(),
    };

    private static Proto.PublishTarget ToMessage(PublishTarget target)
    {
        var message = new Proto.PublishTarget { Name = target.Name, Aliases = { target.Aliases } };
        Optional.Set(target.ExpectedVersion, version => message.ExpectedVersion = (uint)version);
        return message;
    }
}
