using System.Text.Json.Nodes;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Training.Optimizers;
using LoraServe.Training.Options;
using LoraServe.Training.Ranks;

namespace LoraServe.Jobs.Records;

/// <summary>The settings of a run that a request asks for.</summary>
public static class JobOptions
{
    /// <summary>The settings, still without files; what is not asked for is as it usually is.</summary>
    public static TrainingJobOptions Of(JobRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        MethodRequest method = request.Method ?? new MethodRequest();
        Hyperparameters how = request.Hyperparameters ?? new Hyperparameters();
        var usual = new TrainingJobOptions();
        return usual with
        {
            Method = method.Method.Length > 0 ? method.Method : usual.Method,
            Rank = method.Rank,
            ChoosesRank = method.AutoRank || method.RankPolicy.Length > 0,
            RankPolicy = method.RankPolicy.Length > 0 ? method.RankPolicy : usual.RankPolicy,
            Growth = method.DynamicRank is { } growth ? Of(growth) : null,
            Gates = method.RankGates is { } gates ? Of(gates) : usual.Gates,
            Alpha = method.Alpha,
            Targets = [.. method.TargetModules],
            RateRatioOfB = method.LoraPlusRatio,
            VirtualTokens = method.VirtualTokens,
            PromptText = method.PromptText.Length > 0 ? method.PromptText : null,
            PeftConfig = (JsonObject?)method.PeftConfig?.DeepClone(),
            KeepsBaseTemplate = method.KeepBaseTemplate ? true : null,
            EvaluationShare = request.ValidationSplit,
            Steps = how.MaxSteps,
            Epochs = how.Epochs,
            BatchRows = how.BatchSize,
            BatchTokens = how.BatchTokens,
            AccumulationSteps = how.GradientAccumulationSteps ?? usual.AccumulationSteps,
            LearningRate = how.LearningRate,
            Schedule = how.LrScheduler,
            WarmupSteps = how.WarmupSteps,
            Optimizer = OptimizerOf(how),
            MaximumGradientNorm = how.MaxGradNorm ?? usual.MaximumGradientNorm,
            Loss = how.Loss,
            Beta = how.Beta ?? usual.Beta,
            LabelSmoothing = how.LabelSmoothing,
            LossOnPrompt = how.TrainOnPrompt,
            MaximumLength = how.MaxLength,
            Format = how.RowFormat,
            LongRows = how.LongRows,
            Seed = how.Seed,
            EvaluationInterval = how.EvalSteps,
            Patience = how.EarlyStoppingPatience,
            CheckpointInterval = how.SaveSteps ?? usual.CheckpointInterval,
            CheckpointActivations = how.GradientCheckpointing,
            FullScore = request.FullScore,
        };
    }

    private static RankGrowth Of(RankGrowthSettings asked)
    {
        var usual = new RankGrowth();
        return new RankGrowth
        {
            MaximumRank = asked.MaxRank ?? usual.MaximumRank,
            Window = asked.Window ?? usual.Window,
            Plateau = asked.Plateau ?? usual.Plateau,
            Factor = asked.Factor ?? usual.Factor,
        };
    }

    private static GateOptions Of(RankGateSettings asked)
    {
        var usual = new GateOptions();
        return new GateOptions
        {
            Penalty = asked.Penalty,
            Strength = asked.Strength ?? usual.Strength,
            RateRatio = asked.RateRatio ?? usual.RateRatio,
            Threshold = asked.Threshold,
        };
    }

    private static OptimizerOptions OptimizerOf(Hyperparameters how)
    {
        var usual = new OptimizerOptions();
        return new OptimizerOptions
        {
            Kind = how.Optimizer,
            Beta1 = how.AdamBeta1,
            Beta2 = how.AdamBeta2,
            Epsilon = how.AdamEpsilon,
            WeightDecay = how.WeightDecay,
            Momentum = how.Momentum,
            DecayExponent = how.DecayRate ?? usual.DecayExponent,
            ClipThreshold = how.ClipThreshold ?? usual.ClipThreshold,
        };
    }
}
