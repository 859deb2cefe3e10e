using System.Security.Cryptography;
using System.Text;
using Grpc.Core;
using LoraServe.Client;
using LoraServe.Compute;
using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.Server.Access;
using LoraServe.Testing;
using LoraServe.V1;

namespace LoraServe.EndToEnd.Tests.Training;

/// <summary>From rows to an adapter that answers, over gRPC.</summary>
public sealed class TrainingTests
{
    private const int Steps = 60;

    private static readonly (string Prompt, string Completion)[] s_rows = [("the sun is", " hot"), ("the ice is", " cold"), ("the sea is", " wet")];

    [Fact]
    public async Task Start_UploadedRows_PublishesAnAdapterThatHasLearntThem()
    {
        await using TestServer server = await TestServer.StartTinyAsync(trains: true);
        TrainingJob started = await server.Client.StartTrainingAsync(WriteRows(server.Outside), Request("facts"));
        List<TrainingEvent> events = [];
        await foreach (TrainingEvent happened in server.Client.WatchTrainingAsync(started.Id, includePast: true))
        {
            events.Add(happened);
        }

        TrainingJob job = events[^1].Job;
        Assert.True(job.Status == TrainingStatus.Succeeded, job.Error);
        Assert.Equal("facts@1", job.Adapter);
        uint[] steps = [.. events.Where(happened => happened.Progress is not null).Select(happened => happened.Progress.Step)];
        Assert.Equal(Enumerable.Range(1, Steps).Select(step => (uint)step), steps);
        // Its small tied table lets the tiny base be no more certain than this.
        Assert.True(job.Progress.Loss < 0.5, $"the loss is {job.Progress.Loss}");
        Assert.True(job.Result.TrainableParameters > 0 && job.Result.TrainableParameters < job.Result.AllParameters && job.Result.AdapterBytes > 0);
        foreach ((string prompt, string completion) in s_rows)
        {
            var question = new GenerateRequest { Adapter = "facts", Prompt = prompt, Sampling = new SamplingOptions { MaxTokens = 12 } };
            Assert.Equal(completion, (await server.Client.Inference.GenerateAsync(question)).Choices[0].Text);
            question.Adapter = "";
            Assert.NotEqual(completion, (await server.Client.Inference.GenerateAsync(question)).Choices[0].Text);
        }
    }

    [Fact]
    public async Task Start_WhileTheServerAnswers_ChangesNoAnswer()
    {
        await using TestServer server = await TestServer.StartTinyAsync(trains: true);
        await server.LoadAsync(("other", 1));
        Answer alone = await server.AskAsync(Ask.For("other"));

        TrainingJob job = await server.Client.StartTrainingAsync(WriteRows(server.Outside), Request("facts"));
        Task<TrainingJob> done = server.Client.WaitForTrainingAsync(job.Id);
        do
        {
            Assert.Equal(alone, await server.AskAsync(Ask.For("other")));
        }
        while (!done.IsCompleted);

        Assert.Equal(TrainingStatus.Succeeded, (await done).Status);
    }

    [Fact]
    public async Task Restart_InTheMiddleOfAJob_MakesTheAdapterOfAnUninterruptedOne()
    {
        using var folder = new TemporaryFolder();
        string id;
        await using (TestServer server = await TestServer.StartTinyAsync(folder: folder, trains: true))
        {
            id = (await server.Client.StartTrainingAsync(WriteRows(server.Outside), Request("facts"))).Id;
            await foreach (TrainingEvent happened in server.Client.WatchTrainingAsync(id))
            {
                if (happened.Progress?.Step >= 15)
                {
                    break;
                }
            }
        }

        await using (TestServer server = await TestServer.StartTinyAsync(folder: folder, trains: true))
        {
            TrainingJob interrupted = await server.Client.WaitForTrainingAsync(id);
            TrainingJob whole = await server.Client.WaitForTrainingAsync((await server.Client.StartTrainingAsync(WriteRows(server.Outside), Request("again"))).Id);

            Assert.True(interrupted.Status == TrainingStatus.Succeeded, interrupted.Error);
            Assert.Equal(whole.Progress.Loss, interrupted.Progress.Loss);
            Assert.Equal(
                (await server.Client.Adapters.GetAsync(new GetAdapterRequest { Name = "again" })).Digest,
                (await server.Client.Adapters.GetAsync(new GetAdapterRequest { Name = "facts" })).Digest);
        }
    }

    [Fact]
    public async Task Resume_CancelledJob_MakesTheAdapterOfAnUninterruptedOne()
    {
        await using TestServer server = await TestServer.StartTinyAsync(trains: true);
        string id = (await server.Client.StartTrainingAsync(WriteRows(server.Outside), Request("facts"))).Id;
        await foreach (TrainingEvent happened in server.Client.WatchTrainingAsync(id))
        {
            if (happened.Progress?.Step >= 15)
            {
                await server.Client.Training.CancelAsync(new CancelTrainingRequest { Id = id });
            }
        }

        Assert.Equal(TrainingStatus.Queued, (await server.Client.ResumeTrainingAsync(id)).Status);
        TrainingJob resumed = await server.Client.WaitForTrainingAsync(id);
        TrainingJob whole = await server.Client.WaitForTrainingAsync((await server.Client.StartTrainingAsync(WriteRows(server.Outside), Request("again"))).Id);

        Assert.True(resumed.Status == TrainingStatus.Succeeded, resumed.Error);
        Assert.Equal(whole.Progress.Loss, resumed.Progress.Loss);
        Assert.Equal(
            (await server.Client.Adapters.GetAsync(new GetAdapterRequest { Name = "again" })).Digest,
            (await server.Client.Adapters.GetAsync(new GetAdapterRequest { Name = "facts" })).Digest);
    }

    [Theory]
    [InlineData("{\"prompt\": \"a\"", "not JSON")]
    [InlineData("{\"prompt\": \"a\"}", "only the fields prompt")]
    [InlineData("{\"prompt\": \"a\", \"text\": \"b\"}", "text beside prompt")]
    [InlineData("{\"prompt\": \"a prompt that is longer than rows may be\", \"completion\": \"b\"}", "nothing to learn is left")]
    public async Task Start_BadRow_IsRefusedWithFileAndLine(string row, string problem)
    {
        await using TestServer server = await TestServer.StartTinyAsync(trains: true);
        string file = Path.Combine(Directory.CreateDirectory(server.Outside).FullName, "rows.jsonl");
        await File.WriteAllTextAsync(file, $"{{\"prompt\": \"a\", \"completion\": \"b\"}}\n\n{row}\n");
        StartTrainingRequest request = Request("facts");
        request.Hyperparameters.MaxLength = 16;

        await Refused.WithAsync(StatusCode.InvalidArgument, () => server.Client.StartTrainingAsync(file, request), "rows.jsonl, line 3: ", problem);
        Assert.Empty((await server.Client.Training.ListAsync(new ListTrainingRequest())).Jobs);
    }

    [Fact]
    public async Task Start_GoodRows_SaysHowManyWereLookedAt()
    {
        await using TestServer server = await TestServer.StartTinyAsync(trains: true);

        TrainingJob job = await server.Client.StartTrainingAsync(WriteRows(server.Outside), Request("facts"));

        Assert.Equal((3ul, 3ul), (job.CheckedRows, job.TotalRows));
    }

    [Fact]
    public async Task Start_ATenantFillsItsShareOfTheQueue_OthersStillFindAPlace()
    {
        var keys = new AccessOptions();
        foreach (string tenant in new[] { "red", "blue" })
        {
            keys.Keys.Add(new AccessKey { Sha256 = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(tenant))), Tenant = tenant });
        }

        await using TestServer server = await TestServer.StartTinyAsync(access: keys, trains: true);
        LoraServeClient red = server.ClientWith("red");
        LoraServeClient blue = server.ClientWith("blue");
        StartTrainingRequest request = Request("facts");
        (request.Publish, request.Hyperparameters.MaxSteps) = (null, 1_000_000);
        string rows = WriteRows(server.Outside);
        List<TrainingJob> jobs = [];
        RpcException full = await Refused.WithAsync(StatusCode.ResourceExhausted, async () =>
        {
            while (jobs.Count < 30)
            {
                jobs.Add(await red.StartTrainingAsync(rows, request));
            }
        }, "tenant 'red'", "MaxQueuedJobsPerTenant");
        Assert.NotNull(full.Trailers.GetValue("grpc-retry-pushback-ms"));

        TrainingJob others = await blue.StartTrainingAsync(rows, request);

        // It does not only find a place: it runs, while the other tenant's jobs have taken theirs.
        await foreach (TrainingEvent happened in blue.WatchTrainingAsync(others.Id))
        {
            if (happened.Progress is not null)
            {
                break;
            }
        }
    }

    [Fact]
    public async Task Start_UnknownMethod_IsRefused()
    {
        await using TestServer server = await TestServer.StartTinyAsync(trains: true);
        StartTrainingRequest request = Request("facts");
        request.Method.Method = "magic";

        await Refused.WithAsync(StatusCode.InvalidArgument, () => server.Client.StartTrainingAsync(WriteRows(server.Outside), request), "magic");
    }

    [Fact]
    public async Task Training_ServerWithout_IsRefused()
    {
        await using TestServer server = await TestServer.StartTinyAsync();

        await Refused.WithAsync(StatusCode.FailedPrecondition, server.Client.Training.ListAsync(new ListTrainingRequest()), "does not train");
    }

    [Fact]
    public async Task Start_WithValidationRows_ServesTheLossThatWasTrained()
    {
        await using TestServer server = await TestServer.StartTinyAsync(trains: true);
        StartTrainingRequest request = Request("facts");
        request.ValidationData = new TrainingData { UploadId = (await server.Client.UploadDataAsync(WriteRows(server.Outside))).UploadId };
        TrainingJob job = await server.Client.WaitForTrainingAsync((await server.Client.StartTrainingAsync(WriteRows(server.Outside), request)).Id);
        Assert.True(job.Status == TrainingStatus.Succeeded, job.Error);

        List<float> served = [];
        foreach ((string prompt, string completion) in s_rows)
        {
            var question = new ScoreRequest { Adapter = "facts", Prompt = prompt };
            TokenizeResponse answer = await server.Client.Inference.TokenizeAsync(new TokenizeRequest { Text = completion });
            question.ContinuationTokenIds.Add(new TokenIds { Ids = { answer.TokenIds, TinyFiles.EndToken } });
            served.AddRange((await server.Client.Inference.ScoreAsync(question)).Scores[0].TokenLogprobs);
        }

        Assert.Equal(job.Progress.EvalLoss, -served.Average(value => (double)value), 1e-6);
        Assert.Equal(1, job.Progress.EvalScore);
        Assert.Equal(1, job.Result.Score);
    }

    [Fact]
    public async Task Start_RankThatGrows_IsSeenGrowingByWhoWatches()
    {
        await using TestServer server = await TestServer.StartTinyAsync(trains: true);
        StartTrainingRequest request = Request("facts");
        request.Method.Rank = 2;
        request.Method.DynamicRank = new DynamicRank { MaxRank = 3, Window = 2, Plateau = 1e9 };
        (request.Hyperparameters.MaxSteps, request.Hyperparameters.EvalSteps) = (8, 2);
        request.ValidationSplit = 0.4;
        TrainingJob started = await server.Client.StartTrainingAsync(WriteRows(server.Outside), request);
        List<TrainingProgress> steps = [];
        await foreach (TrainingEvent happened in server.Client.WatchTrainingAsync(started.Id, includePast: true))
        {
            started = happened.Job ?? started;
            steps.AddRange(happened.Progress is { } step ? [step] : []);
        }

        Assert.True(started.Status == TrainingStatus.Succeeded, started.Error);
        Assert.Equal([2u, 2u, 2u, 3u, 3u, 3u, 3u, 3u], steps.Select(step => step.Rank));
        Assert.Equal([2u, 4u, 6u, 8u], steps.Where(step => step is { HasEvalLoss: true, HasEvalScore: true }).Select(step => step.Step));
        Assert.Equal(steps[^1], started.LastEvaluation);
        Assert.Equal(3u, (await server.Client.Adapters.GetAsync(new GetAdapterRequest { Name = "facts" })).MaxRank);
    }

    [Theory]
    [InlineData(TrainingLoss.Dpo)]
    [InlineData(TrainingLoss.Orpo)]
    [InlineData(TrainingLoss.Kto)]
    public async Task Start_PairsOfAnswers_TrainsByEveryPreferenceLoss(TrainingLoss loss)
    {
        await using TestServer server = await TestServer.StartTinyAsync(trains: true);
        string path = Path.Combine(Directory.CreateDirectory(server.Outside).FullName, "pairs.jsonl");
        await File.WriteAllLinesAsync(path, s_rows.Select(row => $$"""{"prompt": "{{row.Prompt}}", "chosen": "{{row.Completion}}", "rejected": " odd"}"""));
        StartTrainingRequest request = Request("tastes");
        request.Method.RankPolicy = "width";
        request.Method.ClearRank();
        (request.Hyperparameters.MaxSteps, request.Hyperparameters.Loss) = (2, loss);

        TrainingJob job = await server.Client.WaitForTrainingAsync((await server.Client.StartTrainingAsync(path, request)).Id);

        Assert.True(job.Status == TrainingStatus.Succeeded, job.Error);
    }

    private static bool IsFourOrEightBits(string name) => name.Contains("Q4_0", StringComparison.Ordinal) || name.Contains("Q8_0", StringComparison.Ordinal);

    public static TheoryData<string> QuantisedModels =>
        [.. SharedFiles.Cases(SharedFiles.FileNames("fixtures/gguf", "*_0.gguf").Where(IsFourOrEightBits))];

    [SkippableTheory]
    [MemberData(nameof(QuantisedModels))]
    public async Task Start_OnAQuantisedBaseThatIsServedFast_Trains(string name)
    {
        await using TestServer server = await TestServer.StartAsync(SharedFiles.Require($"fixtures/gguf/{name}"), Arithmetic.Fast, trains: true);
        StartTrainingRequest request = Request("facts");
        request.Hyperparameters.MaxSteps = 20;

        List<double> losses = [];
        TrainingJob started = await server.Client.StartTrainingAsync(WriteRows(server.Outside), request);
        await foreach (TrainingEvent happened in server.Client.WatchTrainingAsync(started.Id, includePast: true))
        {
            started = happened.Job ?? started;
            losses.AddRange(happened.Progress is { } step ? [step.Loss] : []);
        }

        Assert.True(started.Status == TrainingStatus.Succeeded, started.Error);
        Assert.True(losses[^1] < losses[0] / 2, string.Join(' ', losses));
        Assert.Equal("facts", (await server.Client.Inference.GenerateAsync(new GenerateRequest { Adapter = "facts", Prompt = "the sun is" })).Adapters[0].Name);
    }

    private static StartTrainingRequest Request(string name) => new()
    {
        Method = new MethodOptions { Rank = 8, TargetModules = { "all-linear" } },
        Hyperparameters = new Hyperparameters { MaxSteps = Steps, BatchSize = 3, LearningRate = 2e-2, SaveSteps = 10 },
        Publish = new PublishTarget { Name = name },
    };

    private static string WriteRows(string folder)
    {
        string path = Path.Combine(Directory.CreateDirectory(folder).FullName, "facts.jsonl");
        File.WriteAllLines(path, s_rows.Select(row => $$"""{"prompt": "{{row.Prompt}}", "completion": "{{row.Completion}}"}"""));
        return path;
    }
}
