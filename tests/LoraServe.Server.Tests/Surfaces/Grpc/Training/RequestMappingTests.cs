using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using LoraServe.Jobs.Records;
using LoraServe.Server.Surfaces.Grpc.Training;
using LoraServe.Training.Losses;
using LoraServe.Training.Optimizers;
using LoraServe.Training.Options;
using Proto = LoraServe.V1;

namespace LoraServe.Server.Tests.Surfaces.Grpc.Training;

public sealed class RequestMappingTests
{
    [Fact]
    public void ToOptions_NothingSet_IsTheDefaults() =>
        Assert.Equivalent(new TrainingJobOptions(), ToOptions(new Proto.StartTrainingRequest()), strict: true);

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

        TrainingJobOptions options = ToOptions(new Proto.StartTrainingRequest { Method = method, Hyperparameters = how, ValidationSplit = 0.2 });

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
        string nothing = Written(new Proto.StartTrainingRequest());
        foreach (MessageDescriptor part in new[] { Proto.Hyperparameters.Descriptor, Proto.MethodOptions.Descriptor, Proto.DynamicRank.Descriptor, Proto.RankGates.Descriptor })
        {
            foreach (FieldDescriptor field in part.Fields.InDeclarationOrder().Where(field => field.Name is not ("init_from" or "dynamic_rank" or "rank_gates")))
            {
                IMessage message = part.Parser.ParseFrom(ByteString.Empty);
                Set(message, field);
                Proto.StartTrainingRequest request = Holding(message);
                string without = message is Proto.DynamicRank ? Written(Holding(new Proto.DynamicRank())) : nothing;
                Assert.True(without != Written(request), field.FullName);
                Assert.Equal(request, AskedMapping.ToMessage(RequestMapping.ToDomain(request)));
            }
        }

        static void Set(IMessage message, FieldDescriptor field)
        {
            switch (field.FieldType)
            {
                case FieldType.String when field.IsRepeated:
                    ((System.Collections.IList)field.Accessor.GetValue(message)).Add("q_proj");
                    break;
                case FieldType.Enum:
                    field.Accessor.SetValue(message, System.Enum.ToObject(field.EnumType.ClrType, 1));
                    break;
                default:
                    field.Accessor.SetValue(message, field.FieldType switch
                    {
                        FieldType.UInt32 => 77u,
                        FieldType.Int32 => 77,
                        FieldType.Double => 0.77,
                        FieldType.Bool => true,
                        FieldType.String => "width",
                        _ => (object)Struct.Parser.ParseJson("""{"r": 3}"""),
                    });
                    break;
            }
        }

        static string Written(Proto.StartTrainingRequest request) => JsonSerializer.Serialize(ToOptions(request));
    }

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void Validate_WrongField_IsNamedWithItsValueAndWhatIsExpected(Action<Proto.StartTrainingRequest> spoil, string message)
    {
        var request = new Proto.StartTrainingRequest { Method = new Proto.MethodOptions(), Hyperparameters = new Proto.Hyperparameters() };
        spoil(request);

        Assert.Equal(message, Assert.Throws<TrainingOptionsException>(() => (ToOptions(request) with { DataFile = "rows.jsonl" }).Validate(RequestMapping.FieldOf)).Message);
    }

    public static TheoryData<Action<Proto.StartTrainingRequest>, string> Mistakes => new()
    {
        { request => request.Hyperparameters.MaxSteps = 0, "hyperparameters.max_steps is 0; expected 1 to 1073741824." },
        { request => request.Hyperparameters.AdamBeta2 = 1, "hyperparameters.adam_beta2 is 1; expected 0 to 0.9999999." },
        { request => (request.Hyperparameters.BatchSize, request.Hyperparameters.BatchTokens) = (1, 1), "both hyperparameters.batch_tokens and hyperparameters.batch_size are given; give one." },
        { request => request.Hyperparameters.EarlyStoppingPatience = 2, "hyperparameters.early_stopping_patience needs rows to evaluate on; give validation_data or validation_split." },
        { request => (request.Hyperparameters.Loss, request.Hyperparameters.LabelSmoothing) = (Proto.TrainingLoss.Kto, 0.5), "hyperparameters.label_smoothing is 0.5 and hyperparameters.loss is Kto; only supervised training has it." },
        { request => (request.Method.AutoRank, request.Method.Rank) = (true, 8), "both method.rank and method.rank_policy are given; give one." },
        { request => request.Method.RankPolicy = "magic", "method.rank_policy is magic; expected width, complexity, parameters, task, layers, energy, energy-squared, layers-energy." },
        { request => (request.Method.RankPolicy, request.Method.DynamicRank, request.ValidationSplit) = ("width", new(), 0.1), "both method.dynamic_rank and method.rank_policy are given; give one." },
        { request => request.Method.DynamicRank = new(), "method.dynamic_rank needs rows to evaluate on; give validation_data or validation_split." },
        { request => (request.Method.DynamicRank, request.ValidationSplit) = (new() { MaxRank = 0, Window = 1, Plateau = 0, Factor = 1 }, 0.1), "method.dynamic_rank.window is 1; expected 2 to 1073741824. method.dynamic_rank.plateau is 0; expected more than 0. method.dynamic_rank.factor is 1; expected more than 1. method.dynamic_rank.max_rank is 0; expected 1 to 4096." },
        { request => request.Method.RankGates = new() { Strength = 0 }, "method.rank_gates.strength is 0; expected more than 0." },
        { request => request.Method.RankGates = new() { Penalty = (Proto.GatePenalty)9 }, "method.rank_gates.penalty is 9, a choice that this server does not know; expected one of the service's description." },
        { request => request.Hyperparameters.Optimizer = (Proto.OptimizerType)77, "hyperparameters.optimizer is 77, a choice that this server does not know; expected one of the service's description." },
        { request => request.Hyperparameters.Epochs = 1e9, "hyperparameters.epochs is 1000000000; expected at most 10000." },
        { request => request.Hyperparameters.GradientAccumulationSteps = 100_000, "hyperparameters.gradient_accumulation_steps is 100000; expected 1 to 65536." },
        { request => request.FullScore = 2, "full_score is 2; expected 0 to 1." },
    };

    [Fact]
    public void FieldOf_EverySetting_IsAFieldOfTheRequest()
    {
        string[] asked = [];
        (new TrainingJobOptions { DataFile = "rows.jsonl", Growth = new(), EvaluationShare = 0.1 }).Validate(setting =>
        {
            asked = [.. asked, setting];
            return setting;
        });
        foreach (string path in asked.Select(RequestMapping.FieldOf))
        {
            MessageDescriptor? message = Proto.StartTrainingRequest.Descriptor;
            foreach (string name in path.Split('.'))
            {
                FieldDescriptor field = Assert.IsType<FieldDescriptor>(message?.FindFieldByName(name));
                message = field.FieldType == FieldType.Message ? field.MessageType : null;
            }
        }
    }

    [Fact]
    public void ToOptions_NumberBeyondAnyRange_IsRefusedByName()
    {
        // As it was given: what is clipped first would be refused as another number, or not at all.
        foreach (MessageDescriptor part in new[] { Proto.Hyperparameters.Descriptor, Proto.MethodOptions.Descriptor, Proto.DynamicRank.Descriptor, Proto.PublishTarget.Descriptor })
        {
            foreach (FieldDescriptor field in part.Fields.InDeclarationOrder().Where(field => field.FieldType == FieldType.UInt32))
            {
                IMessage message = part.Parser.ParseFrom(ByteString.Empty);
                field.Accessor.SetValue(message, 4_000_000_000u);

                TrainingOptionsException refusal = Assert.Throws<TrainingOptionsException>(() => ToOptions(Holding(message)));

                Assert.Contains($"{field.Name} is 4000000000; expected at most", refusal.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void ToMessage_WhatWasAsked_IsTheRequestAgain()
    {
        // What is present with its usual value stays present, and what is absent stays absent.
        Proto.StartTrainingRequest[] requests =
        [
            new(),
            new() { TrainingData = new(), ValidationData = new() { UploadId = "" }, Publish = new() },
            new()
            {
                Method = new() { Rank = 0, InitFrom = "first@1", DynamicRank = new() { Window = 5 }, RankGates = new() { Penalty = Proto.GatePenalty.HardConcrete, RateRatio = 10 } },
                Hyperparameters = new() { SaveSteps = 100, Beta = 0.1, MaxGradNorm = 1, GradientAccumulationSteps = 1 },
                TrainingData = new() { Path = "" },
                ValidationData = new() { UploadId = "data-1" },
                ValidationSplit = 0.5,
                Publish = new() { Name = "tuned", ExpectedVersion = 0, Aliases = { "live", "prod" } },
                FullScore = 0,
            },
        ];
        Assert.All(requests, request => Assert.Equal(request, AskedMapping.ToMessage(RequestMapping.ToDomain(request))));
    }

    private static TrainingJobOptions ToOptions(Proto.StartTrainingRequest request) => JobOptions.Of(RequestMapping.ToDomain(request));

    private static Proto.StartTrainingRequest Holding(IMessage message) => message switch
    {
        Proto.Hyperparameters how => new Proto.StartTrainingRequest { Hyperparameters = how },
        Proto.DynamicRank rank => Holding(new Proto.MethodOptions { DynamicRank = rank }),
        Proto.RankGates gates => Holding(new Proto.MethodOptions { RankGates = gates }),
        Proto.PublishTarget target => new Proto.StartTrainingRequest { Publish = target },
        _ => new Proto.StartTrainingRequest { Method = (Proto.MethodOptions)message },
    };
}
