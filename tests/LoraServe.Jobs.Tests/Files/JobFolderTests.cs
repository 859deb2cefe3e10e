using System.Globalization;
using System.Text.Json.Nodes;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Jobs.Files;
using LoraServe.Jobs.Records;
using LoraServe.Testing;
using LoraServe.Training.Losses;
using LoraServe.Training.Optimizers;
using LoraServe.Training.Reports;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoraServe.Jobs.Tests.Files;

public sealed class JobFolderTests : IDisposable
{
    private static readonly DateTimeOffset s_at = new DateTimeOffset(2026, 11, 29, 8, 30, 15, TimeSpan.Zero).AddTicks(1234567);

    private readonly string _root = Directory.CreateTempSubdirectory("loraserve-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    // The files are as servers wrote them whose jobs were messages of the wire contract: protobuf's JSON.
    [Fact]
    public void Load_FileOfTheFirstServers_HasEveryField()
    {
        JobState state = Old("job-full");

        var progress = new TrainingProgress
        {
            Step = 7,
            TotalSteps = 20,
            Tokens = 12_345_678_901,
            Loss = double.NaN,
            LearningRate = 1e-5,
            GradientNorm = double.PositiveInfinity,
            TokensPerSecond = 312.5,
            SecondsLeft = 41.25,
            Rank = 6,
            Time = s_at.AddMinutes(5),
        };
        Assert.Equal((true, 2, 5, true), (state.IsAdmin, state.Attempts, state.CheckpointedStep, state.IsCancelRequested));
        Assert.Equal(Path.Combine(_root, "job-full", "run", "tuned", "adapter"), Path.GetFullPath(state.ResultFolder!));
        Assert.Equal(progress, state.Job.Progress);
        Assert.Equal(progress with { Step = 5, Loss = 1.25, EvaluationLoss = 0.75, EvaluationScore = 0 }, state.Job.LastEvaluation);
        Assert.Equal("""{"use_dora":true,"layers_to_transform":[0,1],"r":8,"note":null,"alpha_pattern":{"q_proj":1.5}}""", state.Job.Request.Method!.PeftConfig!.ToJsonString());
        JobRequest request = state.Job.Request;
        Assert.Equivalent(
            new Job
            {
                Id = "job-full",
                Status = JobStatus.Failed,
                Owner = "alice",
                Error = "The loss is NaN.",
                Adapter = "tuned@3",
                CreatedAt = s_at,
                StartedAt = s_at.AddSeconds(1),
                FinishedAt = s_at.AddMinutes(6),
                ResumableUntil = s_at.AddDays(7),
                CheckedRows = 99,
                TotalRows = 100,
                Result = new JobResult
                {
                    TrainableParameters = 128,
                    AllParameters = 1000,
                    AdapterBytes = 2048,
                    BaseBytes = 4096,
                    PeakMemoryBytes = 9_007_199_254_740_993,
                    Tokens = 140,
                    TrainingSeconds = 2.5,
                    EvaluationSeconds = 0.5,
                    BaseScore = 0.25,
                    Score = 0.5,
                },
                Request = new JobRequest
                {
                    Method = new MethodRequest
                    {
                        Method = "gated",
                        Rank = 8,
                        AutoRank = true,
                        Alpha = 16,
                        TargetModules = ["q_proj", "v_proj"],
                        LoraPlusRatio = 4,
                        VirtualTokens = 3,
                        PromptText = "Classify: \u00e4",
                        InitFrom = "first@1",
                        RankPolicy = "width",
                        DynamicRank = new RankGrowthSettings { MaxRank = 32, Window = 4, Plateau = 0.02, Factor = 2 },
                        RankGates = new RankGateSettings { Penalty = GatePenalty.HardConcrete, Strength = 0.001, RateRatio = 5, Threshold = 0.1 },
                    },
                    Hyperparameters = new Hyperparameters
                    {
                        MaxSteps = 20,
                        Epochs = 1.5,
                        BatchSize = 4,
                        BatchTokens = 512,
                        GradientAccumulationSteps = 2,
                        LearningRate = 0.001,
                        LrScheduler = LearningRateSchedule.Cosine,
                        WarmupSteps = 0,
                        Optimizer = OptimizerKind.Adafactor,
                        WeightDecay = 0.01,
                        MaxGradNorm = 0,
                        Loss = LossKind.Kto,
                        Beta = 0.2,
                        LabelSmoothing = 0.125,
                        TrainOnPrompt = true,
                        MaxLength = 256,
                        Seed = -3,
                        EvalSteps = 5,
                        EarlyStoppingPatience = 2,
                        SaveSteps = 10,
                        GradientCheckpointing = true,
                        AdamBeta1 = 0.8,
                        AdamBeta2 = 0.99,
                        AdamEpsilon = 1e-8,
                        Momentum = 0.5,
                        DecayRate = -0.7,
                        ClipThreshold = 1.5,
                    },
                    TrainingData = new DataSource { UploadId = "data-1" },
                    ValidationData = new DataSource { Path = "rows/held-out.jsonl" },
                    ValidationSplit = 0.1,
                    Publish = new PublishTarget { Name = "tuned", ExpectedVersion = 0, Aliases = ["live"] },
                    FullScore = 0.9,
                },
            },
            state.Job with { Progress = null, LastEvaluation = null, Request = request with { Method = request.Method with { PeftConfig = null } } },
            strict: true);
    }

    [Fact]
    public void Load_FileOfTheFirstServers_HasUsualValuesWhereItSaysNothing()
    {
        JobState state = Old("job-plain");

        Assert.Equal((false, 0, 0, false, null), (state.IsAdmin, state.Attempts, state.CheckpointedStep, state.IsCancelRequested, state.ResultFolder));
        Assert.Equivalent(
            new Job
            {
                Id = "job-plain",
                Status = JobStatus.Queued,
                Owner = "bob",
                CreatedAt = s_at.AddTicks(-1234567),
                Request = new JobRequest
                {
                    Method = new MethodRequest(),
                    Hyperparameters = new Hyperparameters { LrScheduler = LearningRateSchedule.Constant, Optimizer = OptimizerKind.Sgd, Loss = LossKind.Orpo },
                    TrainingData = new DataSource { Path = "rows.jsonl" },
                },
            },
            state.Job,
            strict: true);
        Assert.Equal((LearningRateSchedule.Linear, OptimizerKind.AdamW, LossKind.Supervised, GatePenalty.L1), Usual(new Hyperparameters(), new RankGateSettings()));

        static (LearningRateSchedule, OptimizerKind, LossKind, GatePenalty) Usual(Hyperparameters how, RankGateSettings gates) => (how.LrScheduler, how.Optimizer, how.Loss, gates.Penalty);
    }

    [Theory]
    [InlineData("job-full")]
    [InlineData("job-plain")]
    public void Save_WhatWasRead_SaysTheSame(string id)
    {
        // Property by property, so that a server of before reads it too; what this one says beyond has its usual value.
        var folder = new JobFolder(_root);
        JsonNode before = Text(Repository.Fixture($"jobs/{id}/job.json"));

        folder.Save(Old(id));

        JsonNode after = Text(Path.Combine(_root, id, "job.json"));
        AssertSaid(before, after, id);
        Assert.Equal(File.ReadAllText(Path.Combine(_root, id, "job.json")), Written(Assert.Single(folder.Load(NullLogger.Instance))));
    }

    private string Written(JobState state)
    {
        new JobFolder(_root).Save(state);
        return File.ReadAllText(Path.Combine(_root, state.Job.Id, "job.json"));
    }

    private static JsonNode Text(string path) => JsonNode.Parse(File.ReadAllText(path))!;

    private static void AssertSaid(JsonNode? before, JsonNode? after, string path)
    {
        switch (before)
        {
            case JsonObject members:
                Assert.All(members, member => AssertSaid(member.Value, Assert.IsType<JsonObject>(after)[member.Key], $"{path}.{member.Key}"));
                break;
            case JsonArray elements:
                Assert.Equal(elements.ToJsonString(), after!.ToJsonString());
                break;
            default:
                Assert.Equal(Plain(before), Plain(after));
                break;
        }
    }

    // Whole numbers may be texts, and times have any number of digits; protobuf reads either.
    private static string? Plain(JsonNode? value)
    {
        string? text = value?.ToString();
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out DateTimeOffset time) && text.Contains('T', StringComparison.Ordinal) ? time.ToString("o")
            : double.TryParse(text, CultureInfo.InvariantCulture, out double number) && !text.All(char.IsAsciiDigit) ? number.ToString("r", CultureInfo.InvariantCulture)
            : text;
    }

    private JobState Old(string id)
    {
        string folder = Directory.CreateDirectory(Path.Combine(_root, id)).FullName;
        if (!File.Exists(Path.Combine(folder, "job.json")))
        {
            File.Copy(Repository.Fixture($"jobs/{id}/job.json"), Path.Combine(folder, "job.json"));
        }

        return Assert.Single(new JobFolder(_root).Load(NullLogger.Instance));
    }
}
