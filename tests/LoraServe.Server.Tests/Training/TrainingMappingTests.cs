using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using LoraServe.Server.Training;
using LoraServe.Training;
using LoraServe.Training.Optimizers;
using LoraServe.Training.Reports;
using Proto = LoraServe.V1;

namespace LoraServe.Server.Tests.Training;

public sealed class TrainingMappingTests
{
    [Fact]
    public void ToOptions_NothingSet_IsTheDefaults() =>
        Assert.Equivalent(new TrainingJobOptions(), TrainingMapping.ToOptions(new Proto.StartTrainingRequest()), strict: true);

    [Fact]
    public void ToOptions_EverythingSet_IsTakenOver()
    {
        var method = new Proto.MethodOptions
        {
            Method = "lora",
            Rank = 4,
            Alpha = 12,
            TargetModules = { "q_proj", "v_proj" },
            LoraPlusRatio = 16,
            VirtualTokens = 7,
            PromptText = "Classify:",
            PeftConfig = Struct.Parser.ParseJson("""{"use_dora": true, "layers_to_transform": [0, 1], "r": 8}"""),
        };
        var how = new Proto.Hyperparameters
        {
            MaxSteps = 100,
            BatchTokens = 512,
            GradientAccumulationSteps = 2,
            LearningRate = 1e-3,
            LrScheduler = Proto.LrScheduler.Cosine,
            WarmupSteps = 5,
            Optimizer = Proto.OptimizerType.Lion,
            WeightDecay = 0.01,
            MaxGradNorm = 0.5,
            Loss = Proto.TrainingLoss.Dpo,
            Beta = 0.2,
            LabelSmoothing = 0.3,
            TrainOnPrompt = true,
            MaxLength = 256,
            Seed = -3,
            EvalSteps = 10,
            EarlyStoppingPatience = 3,
            SaveSteps = 20,
            GradientCheckpointing = true,
        };

        TrainingJobOptions options = TrainingMapping.ToOptions(new Proto.StartTrainingRequest { Method = method, Hyperparameters = how, ValidationSplit = 0.2 });

        Assert.Equal("""{"use_dora":true,"layers_to_transform":[0,1],"r":8}""", options.PeftConfig!.ToJsonString().Replace(" ", "", StringComparison.Ordinal));
        Assert.Equivalent(
            new TrainingJobOptions
            {
                Method = "lora",
                Rank = 4,
                Alpha = 12,
                Targets = ["q_proj", "v_proj"],
                RateRatioOfB = 16,
                VirtualTokens = 7,
                PromptText = "Classify:",
                EvaluationShare = 0.2,
                Steps = 100,
                BatchTokens = 512,
                AccumulationSteps = 2,
                LearningRate = 1e-3,
                Schedule = LearningRateSchedule.Cosine,
                WarmupSteps = 5,
                Optimizer = new OptimizerOptions { Kind = OptimizerKind.Lion, WeightDecay = 0.01 },
                MaximumGradientNorm = 0.5,
                Loss = LossKind.Dpo,
                Beta = 0.2,
                LabelSmoothing = 0.3,
                LossOnPrompt = true,
                MaximumLength = 256,
                Seed = -3,
                EvaluationInterval = 10,
                Patience = 3,
                CheckpointInterval = 20,
                CheckpointActivations = true,
            },
            options with { PeftConfig = null },
            strict: true);
    }

    [Fact]
    public void ToOptions_EveryField_ChangesSomething()
    {
        // A field that nobody reads would go unnoticed.
        foreach (FieldDescriptor field in Proto.Hyperparameters.Descriptor.Fields.InDeclarationOrder())
        {
            var how = new Proto.Hyperparameters();
            field.Accessor.SetValue(how, field.FieldType switch
            {
                FieldType.UInt32 => 77u,
                FieldType.Int32 => 77,
                FieldType.Double => 0.77,
                FieldType.Bool => true,
                _ => field.Name switch
                {
                    "lr_scheduler" => Proto.LrScheduler.Constant,
                    "optimizer" => Proto.OptimizerType.Sgd,
                    _ => (object)Proto.TrainingLoss.Orpo,
                },
            });
            Assert.NotEqual(new TrainingJobOptions().ToString(), TrainingMapping.ToOptions(new Proto.StartTrainingRequest { Hyperparameters = how }).ToString());
        }
    }

    [Fact]
    public void ToOptions_AutoRank_LeavesTheRankOpen()
    {
        Assert.True(TrainingMapping.ToOptions(new Proto.StartTrainingRequest { Method = new Proto.MethodOptions { AutoRank = true } }) is { Rank: null, ChoosesRank: true });
        Assert.Throws<TrainingOptionsException>(() => TrainingMapping.ToOptions(new Proto.StartTrainingRequest { Method = new Proto.MethodOptions { AutoRank = true, Rank = 8 } }));
    }

    [Fact]
    public void ToOptions_UnknownChoice_IsRefusedByItsName()
    {
        var how = new Proto.Hyperparameters { Optimizer = (Proto.OptimizerType)77 };

        Assert.StartsWith("optimizer is 77", Assert.Throws<TrainingOptionsException>(() => TrainingMapping.ToOptions(new Proto.StartTrainingRequest { Hyperparameters = how })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ToOptions_NumberBeyondAnyRange_IsRefusedByValidation()
    {
        var how = new Proto.Hyperparameters { MaxSteps = uint.MaxValue };

        Assert.Throws<TrainingOptionsException>((TrainingMapping.ToOptions(new Proto.StartTrainingRequest { Hyperparameters = how }) with { DataFile = "a" }).Validate);
    }

    [Fact]
    public void ToMessage_Progress_CarriesEveryField()
    {
        var progress = new TrainingProgress
        {
            Step = 1,
            TotalSteps = 2,
            Tokens = 3,
            Loss = double.NaN,
            LearningRate = 5,
            GradientNorm = 6,
            TokensPerSecond = 7,
            SecondsLeft = 8,
            EvaluationLoss = 9,
            EvaluationScore = 0.5,
            Time = DateTimeOffset.UnixEpoch.AddSeconds(1),
        };

        Proto.TrainingProgress message = TrainingMapping.ToMessage(progress);

        var unset = new Proto.TrainingProgress();
        Assert.All(
            Proto.TrainingProgress.Descriptor.Fields.InDeclarationOrder(),
            field => Assert.True(field.HasPresence ? field.Accessor.HasValue(message) : !Equals(field.Accessor.GetValue(unset), field.Accessor.GetValue(message)), field.Name));
        Assert.Equal((1u, 2u, 3ul, 5, 6, 7, 8), (message.Step, message.TotalSteps, message.Tokens, message.LearningRate, message.GradNorm, message.TokensPerSecond, message.SecondsLeft));
        Assert.False(TrainingMapping.ToMessage(progress with { EvaluationLoss = null }).HasEvalLoss);
    }
}
