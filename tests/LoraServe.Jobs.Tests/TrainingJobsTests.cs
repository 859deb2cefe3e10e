using LoraServe.Compute.Files;
using LoraServe.Jobs.Records;
using LoraServe.Serving;
using LoraServe.Serving.Requests;
using LoraServe.Training.Options;

namespace LoraServe.Jobs.Tests;

public sealed class TrainingJobsTests
{
    [Fact]
    public async Task Start_Job_PublishesItsAdapterForTheNextRequest()
    {
        await using var bench = new TrainingBench();
        bench.Runner.LetStep(2);

        Job job = await bench.StartAsync(TrainingBench.Request(publish: "tuned"));
        Job done = await bench.UntilAsync(job.Id, JobStatus.Succeeded);

        Assert.Equal(("tuned@1", "root"), (done.Adapter, bench.Small.Engine.Adapters.Get(Principal.Operator, "tuned").Owner));
        Assert.Equal((2, 2, 20L), (done.Progress!.Step, done.Progress.TotalSteps, done.Progress.Tokens));
        Assert.Equal((128L, 0.5, 2.0), (done.Result!.TrainableParameters, done.Result.Score, done.Result.TrainingSeconds));
        Assert.Equal((1, 0.25), (done.LastEvaluation!.Step, done.LastEvaluation.EvaluationLoss));
        Assert.Null(done.Result.BaseScore);
        Assert.True(done.CreatedAt <= done.StartedAt && done.StartedAt <= done.FinishedAt);
        var question = new GenerationRequest { PromptTokens = [1, 2, 3], Adapters = [new AdapterReference("tuned")], Sampling = new SamplingOptions { MaxTokens = 2 } };
        Generation answer = await bench.Small.Engine.GenerateAsync(question);
        await foreach (GeneratedToken _ in answer)
        {
        }

        Assert.Equal("tuned", Assert.Single(answer.Adapters).Name);
    }

    [Fact]
    public async Task Start_WithoutAName_KeepsTheResultInTheJobsFolder()
    {
        await using var bench = new TrainingBench();
        bench.Runner.LetStep(2);

        Job done = await bench.UntilAsync((await bench.StartAsync()).Id, JobStatus.Succeeded);

        Assert.Equal("", done.Adapter);
        Assert.Empty(bench.Small.Engine.Adapters.List(Principal.Operator));
        Assert.True(File.Exists(Path.Combine(bench.Options.StateFolder!, "jobs", done.Id, "run", "adapter", "adapter", "adapter_config.json")));
    }

    [Fact]
    public async Task Start_SeveralJobs_RunInTheirOrder()
    {
        await using var bench = new TrainingBench();
        Job[] jobs = [await bench.StartAsync(), await bench.StartAsync(), await bench.StartAsync()];
        await bench.UntilAsync(jobs[0].Id, JobStatus.Running);

        Assert.Equal([2, 1, 0], bench.Jobs.List(TrainingBench.Admin, _ => true, 10).Select(job => job.QueuePosition + (job.Status == JobStatus.Queued ? 1 : 0)));
        Assert.Equal(jobs.Reverse().Select(job => job.Id), bench.Jobs.List(TrainingBench.Admin, _ => true, 10).Select(job => job.Id));
        Assert.Equal(jobs[2].Id, Assert.Single(bench.Jobs.List(TrainingBench.Admin, status => status == JobStatus.Queued, 1)).Id);

        bench.Runner.LetStep(2);
        await bench.UntilAsync(jobs[1].Id, JobStatus.Running);
        Assert.Equal(JobStatus.Succeeded, bench.Jobs.Get(TrainingBench.Admin, jobs[0].Id).Status);
    }

    [Fact]
    public async Task Start_SeveralAllowedAtOnce_RunTogether()
    {
        await using var bench = new TrainingBench(options => options.MaxRunningJobs = 2);
        Job[] jobs = [await bench.StartAsync(), await bench.StartAsync()];

        await bench.UntilAsync(jobs[0].Id, JobStatus.Running);
        await bench.UntilAsync(jobs[1].Id, JobStatus.Running);
    }

    [Fact]
    public async Task Start_QueueIsFull_SaysWhenToComeBack()
    {
        await using var bench = new TrainingBench(options => options.MaxQueuedJobs = 1);
        await bench.UntilAsync((await bench.StartAsync()).Id, JobStatus.Running);
        await bench.StartAsync();

        EngineException refusal = await Assert.ThrowsAsync<EngineException>(() => bench.StartAsync());

        Assert.Equal(EngineError.QueueFull, refusal.Error);
        Assert.NotNull(refusal.RetryAfter);
        Assert.Equal(2, bench.Jobs.List(TrainingBench.Admin, _ => true, 10).Count);
    }

    [Fact]
    public async Task Cancel_Waiting_NeverRuns()
    {
        await using var bench = new TrainingBench();
        Job first = await bench.StartAsync();
        Job second = await bench.StartAsync();
        await bench.UntilAsync(first.Id, JobStatus.Running);

        Assert.Equal(JobStatus.Cancelled, bench.Jobs.Cancel(TrainingBench.Admin, second.Id).Status);
        bench.Runner.LetStep(4);
        await bench.UntilAsync(first.Id, JobStatus.Succeeded);

        Assert.Single(bench.Runner.Runs);
        Assert.Equal(JobStatus.Succeeded, bench.Jobs.Cancel(TrainingBench.Admin, first.Id).Status);
    }

    [Fact]
    public async Task Cancel_Running_EndsAndPublishesNothing()
    {
        await using var bench = new TrainingBench();
        Job job = await bench.StartAsync(TrainingBench.Request(publish: "tuned"));
        bench.Runner.LetStep();
        await bench.UntilStepAsync(job.Id, 1);

        bench.Jobs.Cancel(TrainingBench.Admin, job.Id);
        Job ended = await bench.UntilAsync(job.Id, JobStatus.Cancelled);

        Assert.Equal((1, "", ""), (ended.Progress!.Step, ended.Error, ended.Adapter));
        Assert.Empty(bench.Small.Engine.Adapters.List(Principal.Operator));
    }

    [Fact]
    public async Task Restart_WhatRan_GoesOnFromItsCheckpointAndWhatWaitedWaits()
    {
        await using var bench = new TrainingBench();
        Job first = await bench.StartAsync(TrainingBench.Request(publish: "tuned", steps: 3));
        Job second = await bench.StartAsync(TrainingBench.Request(steps: 1));
        bench.Runner.LetStep();
        await bench.UntilStepAsync(first.Id, 1);

        await bench.RestartAsync();

        Assert.Equal(JobStatus.Queued, bench.Jobs.Get(TrainingBench.Admin, second.Id).Status);
        bench.Runner.LetStep(3);
        Job done = await bench.UntilAsync(first.Id, JobStatus.Succeeded);
        await bench.UntilAsync(second.Id, JobStatus.Succeeded);
        Assert.Equal([2, 1], bench.Runner.FirstSteps);
        Assert.Equal("tuned@1", done.Adapter);
        Assert.Equal(first.CreatedAt, done.CreatedAt);

        await bench.RestartAsync();
        Assert.Equivalent(done, bench.Jobs.Get(TrainingBench.Admin, first.Id), strict: true);
    }

    [Fact]
    public async Task Restart_JobThatEndsTheServerEachTime_IsGivenUp()
    {
        await using var bench = new TrainingBench(options => options.MaxAttempts = 2);
        Job job = await bench.StartAsync();
        await bench.UntilAsync(job.Id, JobStatus.Running);
        string file = bench.FileOf(job);
        string asKilled = await File.ReadAllTextAsync(file);

        await bench.RestartAsync(() => File.WriteAllText(file, asKilled));
        await bench.Runner.Began;
        asKilled = await File.ReadAllTextAsync(file);
        await bench.RestartAsync(() => File.WriteAllText(file, asKilled));

        Job failed = await bench.UntilAsync(job.Id, JobStatus.Failed);
        Assert.Contains("ended 2 times", failed.Error, StringComparison.Ordinal);
        Assert.NotNull(failed.ResumableUntil);
    }

    [Fact]
    public async Task Restart_JobThatComesFurtherEachTime_GoesOnAsOftenAsItTakes()
    {
        await using var bench = new TrainingBench(options => options.MaxAttempts = 2);
        Job job = await bench.StartAsync(TrainingBench.Request(steps: 6));
        for (int step = 1; step <= 5; step++)
        {
            bench.Runner.LetStep();
            await bench.UntilStepAsync(job.Id, step);
            string asKilled = await File.ReadAllTextAsync(bench.FileOf(job));
            await bench.RestartAsync(() => File.WriteAllText(bench.FileOf(job), asKilled));
        }

        bench.Runner.LetStep();
        await bench.UntilAsync(job.Id, JobStatus.Succeeded);
        Assert.Equal([6], bench.Runner.FirstSteps);
    }

    [Fact]
    public async Task Restart_KilledBetweenPublishingAndNotingIt_PublishesOnce()
    {
        await using var bench = new TrainingBench();
        JobRequest request = TrainingBench.Request(publish: "tuned");
        request = request with { Publish = request.Publish! with { ExpectedVersion = 0 } };
        Job job = await bench.StartAsync(request);
        await bench.UntilAsync(job.Id, JobStatus.Running);
        string asKilled = "";
        bench.Clock.Looked = () => asKilled = File.ReadAllText(bench.FileOf(job));
        bench.Runner.LetStep(2);
        Job done = await bench.UntilAsync(job.Id, JobStatus.Succeeded);
        bench.Clock.Looked = () => { };
        Assert.Contains("RUNNING", asKilled, StringComparison.Ordinal);

        await bench.RestartAsync(() => File.WriteAllText(bench.FileOf(job), asKilled));
        Job again = await bench.UntilAsync(job.Id, JobStatus.Succeeded);

        Assert.Empty(bench.Runner.Runs);
        Assert.Equal(1, Assert.Single(bench.Small.Engine.Adapters.List(Principal.Operator)).Version);
        Assert.Equivalent(done, again with { FinishedAt = done.FinishedAt }, strict: true);
    }

    [Fact]
    public async Task Restart_KilledBeforePublishing_PublishesWithoutTrainingAgain()
    {
        await using var bench = new TrainingBench();
        Job job = await bench.StartAsync(TrainingBench.Request(publish: "tuned"));
        await bench.UntilAsync(job.Id, JobStatus.Running);
        string asKilled = "";
        bench.Clock.Looked = () => asKilled = File.ReadAllText(bench.FileOf(job));
        bench.Runner.LetStep(2);
        await bench.UntilAsync(job.Id, JobStatus.Succeeded);
        bench.Clock.Looked = () => { };

        await bench.RestartAsync(() =>
        {
            bench.Small.Engine.Adapters.Unload(Principal.Operator, "tuned");
            File.WriteAllText(bench.FileOf(job), asKilled);
        });

        Assert.Equal("tuned@2", (await bench.UntilAsync(job.Id, JobStatus.Succeeded)).Adapter);
        Assert.Empty(bench.Runner.Runs);
    }

    [Fact]
    public async Task Jobs_OfAnotherServerOnTheSameFolder_AreRefused()
    {
        await using var bench = new TrainingBench();

        FolderInUseException refusal = Assert.Throws<FolderInUseException>(() => new TrainingJobs(bench.Runner, bench.Small.Engine.Adapters, bench.Options));

        Assert.Equal(bench.Options.StateFolder, refusal.Folder);
        await bench.RestartAsync();
    }

    [Theory]
    [InlineData("torn")]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("{\"job\":{},\"isAdmin\":true,\"attempts\":0}")]
    [InlineData(null)]
    public async Task Restart_DamagedFile_IsNamedAndSetAsideAndTheOthersGoOn(string? content)
    {
        await using var bench = new TrainingBench();
        bench.Log.Expect("is damaged and was set aside");
        Job job = await bench.StartAsync();
        Job whole = await bench.StartAsync();
        string file = bench.FileOf(job);
        content = content == "torn" ? (await File.ReadAllTextAsync(file))[..^10] : content;

        await bench.RestartAsync(() =>
        {
            if (content is null)
            {
                File.Delete(file);
            }
            else
            {
                File.WriteAllText(file, content);
            }
        });

        Assert.Equal(whole.Id, Assert.Single(bench.Jobs.List(TrainingBench.Admin, _ => true, 10)).Id);
        Assert.True(Directory.Exists($"{Path.GetDirectoryName(file)}.damaged"));
        Assert.Contains(bench.Log.Lines, line => line.Contains($"{job.Id} is damaged and was set aside as {job.Id}.damaged", StringComparison.Ordinal));
        bench.Runner.LetStep(2);
        await bench.UntilAsync(whole.Id, JobStatus.Succeeded);
    }

    [Fact]
    public async Task Run_DataIsWrong_TellsTheLineUnderTheNameThatItsSenderKnows()
    {
        await using var bench = new TrainingBench();
        bench.Runner.Failure = (options, folder) => new TrainingOptionsException($"{options.DataFile}, line 3: no completion. See {folder}/x.");
        JobRequest request = TrainingBench.Request();
        request = request with { TrainingData = new DataSource { UploadId = await bench.UploadAsync(TrainingBench.Alice) } };

        Job failed = await bench.UntilAsync((await bench.StartAsync(request, TrainingBench.Alice)).Id, JobStatus.Failed);

        Assert.Equal("train.jsonl, line 3: no completion. See the job's folder/x.", failed.Error);
    }

    [Fact]
    public async Task Run_Fault_TellsNoDetailsAndTheNextJobRuns()
    {
        await using var bench = new TrainingBench();
        bench.Log.Expect("secret");
        bench.Runner.Failure = (_, _) => bench.Runner.Runs.Count == 1 ? new InvalidOperationException("secret") : null;
        Job first = await bench.StartAsync();
        Job second = await bench.StartAsync();
        bench.Runner.LetStep(2);

        Assert.Equal("The server failed on this job; its log says why.", (await bench.UntilAsync(first.Id, JobStatus.Failed)).Error);
        await bench.UntilAsync(second.Id, JobStatus.Succeeded);
    }

    [Fact]
    public async Task Run_AnotherVersionWasPublishedMeanwhile_FailsAndKeepsIt()
    {
        await using var bench = new TrainingBench();
        JobRequest request = TrainingBench.Request(publish: "tuned");
        request = request with { Publish = request.Publish! with { ExpectedVersion = 0 } };
        Job job = await bench.StartAsync(request);
        await bench.Small.PublishAsync("tuned", "bob");
        bench.Runner.LetStep(2);

        Job failed = await bench.UntilAsync(job.Id, JobStatus.Failed);

        Assert.Contains("'tuned' is there already", failed.Error, StringComparison.Ordinal);
        Assert.Equal("bob", bench.Small.Engine.Adapters.Get(Principal.Operator, "tuned").Owner);
    }

    [Fact]
    public async Task Run_NameWasTakenByAnotherTenantMeanwhile_Fails()
    {
        await using var bench = new TrainingBench();
        JobRequest request = TrainingBench.Request(publish: "tuned");
        request = request with { TrainingData = new DataSource { UploadId = await bench.UploadAsync(TrainingBench.Alice) } };
        Job job = await bench.StartAsync(request, TrainingBench.Alice);
        await bench.Small.PublishAsync("tuned", "bob");
        bench.Runner.LetStep(2);

        Assert.Contains("not tenant 'alice'", (await bench.UntilAsync(job.Id, JobStatus.Failed)).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Watch_RunningJob_TellsPastAndComingStepsAndTheEnd()
    {
        await using var bench = new TrainingBench();
        Job job = await bench.StartAsync(TrainingBench.Request(steps: 4));
        bench.Runner.LetStep(2);
        await bench.UntilStepAsync(job.Id, 2);
        List<JobEvent> events = [];

        await foreach (JobEvent happened in bench.Jobs.WatchAsync(TrainingBench.Admin, job.Id, includePast: true, CancellationToken.None))
        {
            events.Add(happened);
            if (events.Count == 3)
            {
                bench.Runner.LetStep(2);
            }
        }

        Assert.Equal(JobStatus.Running, events[0].Job!.Status);
        Assert.Equal([1, 2, 3, 4], events.Where(happened => happened.Progress is not null).Select(happened => happened.Progress!.Step));
        Assert.Equal(JobStatus.Succeeded, events[^1].Job!.Status);

        // The same again, from what is kept.
        List<JobEvent> later = [];
        await foreach (JobEvent happened in bench.Jobs.WatchAsync(TrainingBench.Admin, job.Id, includePast: true, CancellationToken.None))
        {
            later.Add(happened);
        }

        Assert.Equal([1, 2, 3, 4], later.Where(happened => happened.Progress is not null).Select(happened => happened.Progress!.Step));
        Assert.Equal(JobStatus.Succeeded, later[^1].Job!.Status);
    }

    [Fact]
    public async Task Watch_ServerStops_IsTold()
    {
        await using var bench = new TrainingBench();
        Job job = await bench.StartAsync();
        await bench.UntilAsync(job.Id, JobStatus.Running);
        IAsyncEnumerator<JobEvent> watching = bench.Jobs.WatchAsync(TrainingBench.Admin, job.Id, includePast: false, CancellationToken.None).GetAsyncEnumerator();
        await watching.MoveNextAsync();

        await bench.RestartAsync();

        Assert.Equal(EngineError.ShuttingDown, (await Assert.ThrowsAsync<EngineException>(async () => await watching.MoveNextAsync())).Error);
        await watching.DisposeAsync();
    }

    [Fact]
    public async Task Start_ServerStops_IsRefused()
    {
        await using var bench = new TrainingBench();
        await bench.Jobs.DisposeAsync();

        Assert.Equal(EngineError.ShuttingDown, await TrainingBench.RefusalAsync(() => bench.StartAsync()));
        Assert.Empty(bench.Jobs.List(TrainingBench.Admin, _ => true, 10));
    }

    [Fact]
    public async Task Jobs_OfAnotherTenant_AreNotThere()
    {
        await using var bench = new TrainingBench();
        JobRequest request = TrainingBench.Request();
        string upload = await bench.UploadAsync(TrainingBench.Alice);
        request = request with { TrainingData = new DataSource { UploadId = upload } };
        Job job = await bench.StartAsync(request, TrainingBench.Alice);

        Assert.Empty(bench.Jobs.List(TrainingBench.Bob, _ => true, 10));
        Assert.Single(bench.Jobs.List(TrainingBench.Alice, _ => true, 10));
        foreach (Action<Principal, string> call in new Action<Principal, string>[] { (caller, id) => bench.Jobs.Get(caller, id), (caller, id) => bench.Jobs.Cancel(caller, id) })
        {
            Assert.Equal(EngineError.UnknownJob, Assert.Throws<EngineException>(() => call(TrainingBench.Bob, job.Id)).Error);
            Assert.Equal(EngineError.UnknownJob, Assert.Throws<EngineException>(() => call(TrainingBench.Admin, "job-unknown")).Error);
        }

        Assert.Equal(EngineError.UnknownUpload, await TrainingBench.RefusalAsync(() => bench.StartAsync(request, TrainingBench.Bob)));
        Assert.Equal(EngineError.UnknownJob, await TrainingBench.RefusalAsync(async () => await bench.Jobs.WatchAsync(TrainingBench.Bob, job.Id, false, default).GetAsyncEnumerator().MoveNextAsync()));
    }

    [Theory]
    [InlineData("../secret.jsonl")]
    [InlineData("/etc/passwd")]
    [InlineData("link.jsonl")]
    [InlineData("missing.jsonl")]
    [InlineData("")]
    public async Task Start_PathLeavesTheDataRoot_IsRefused(string path)
    {
        await using var bench = new TrainingBench();
        await File.WriteAllTextAsync(Path.Combine(bench.Folder, "secret.jsonl"), "{}");
        File.CreateSymbolicLink(Path.Combine(bench.Options.DataRoot!, "link.jsonl"), Path.Combine(bench.Folder, "secret.jsonl"));
        JobRequest request = TrainingBench.Request();
        request = request with { TrainingData = new DataSource { Path = path } };

        EngineException refusal = await Assert.ThrowsAsync<EngineException>(() => bench.StartAsync(request));

        Assert.Equal(EngineError.PathRefused, refusal.Error);
        Assert.Contains("data root", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(bench.Folder, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_WhatCannotWork_IsRefusedBeforeItWaits()
    {
        await using var bench = new TrainingBench();
        await bench.Small.PublishAsync("taken", "bob");

        Assert.Equal(EngineError.PermissionDenied, await TrainingBench.RefusalAsync(() => bench.StartAsync(caller: TrainingBench.Alice)));
        Assert.Equal(EngineError.InvalidRequest, await RefusedAsync(request => request with { TrainingData = null }));
        Assert.Equal(EngineError.InvalidRequest, await RefusedAsync(request => request with { Hyperparameters = new Hyperparameters { MaxSteps = 0 } }));
        Assert.Equal(EngineError.InvalidAdapterName, await RefusedAsync(request => request with { Publish = new PublishTarget { Name = "no/name" } }));
        Assert.Equal(EngineError.AdapterExists, await RefusedAsync(request => request with { Publish = new PublishTarget { Name = "taken", ExpectedVersion = 0 } }));
        Assert.Equal(EngineError.VersionConflict, await RefusedAsync(request => request with { Publish = new PublishTarget { Name = "taken", ExpectedVersion = 7 } }));
        Assert.Equal(EngineError.UnknownAdapter, await RefusedAsync(request => request with { Method = new MethodRequest { InitFrom = "nobody" } }));
        Assert.Equal(EngineError.UnknownUpload, await RefusedAsync(request => request with { ValidationData = new DataSource { UploadId = "../../rows" } }));
        Assert.Equal(EngineError.InvalidRequest, await RefusedAsync(request => request with { Method = new MethodRequest { Method = "full" }, Publish = new PublishTarget { Name = "model" } }));
        Assert.Equal(EngineError.InvalidRequest, await RefusedAsync(request => request with { Method = new MethodRequest { Method = "lora,prompt" }, Publish = new PublishTarget { Name = "pair" } }));
        bench.Runner.Refusal = "target_modules has 'x_proj', which the model lacks.";
        Assert.Equal(EngineError.InvalidRequest, await RefusedAsync(request => request));
        Assert.Empty(bench.Jobs.List(TrainingBench.Admin, _ => true, 10));

        Task<EngineError> RefusedAsync(Func<JobRequest, JobRequest> spoil) => TrainingBench.RefusalAsync(() => bench.StartAsync(spoil(TrainingBench.Request())));
    }

    [Fact]
    public async Task Start_FromAnAdapter_GoesOnFromTheVersionOfThatMoment()
    {
        await using var bench = new TrainingBench();
        await bench.Small.PublishAsync("first", "bob");
        JobRequest request = TrainingBench.Request();
        request = request with { Method = new MethodRequest { InitFrom = "first" } };
        bench.Runner.LetStep(2);

        Job done = await bench.UntilAsync((await bench.StartAsync(request)).Id, JobStatus.Succeeded);

        Assert.Equal("first@1", done.Request.Method!.InitFrom);
        Assert.Equal(bench.Small.Engine.Adapters.FilesOf(Principal.Operator, "first"), bench.Runner.Runs.Single().InitFrom);
        request = request with { TrainingData = new DataSource { UploadId = await bench.UploadAsync(TrainingBench.Alice) } };
        Assert.Equal(EngineError.UnknownAdapter, await TrainingBench.RefusalAsync(() => bench.StartAsync(request, TrainingBench.Alice)));
    }
}
