using LoraServe.Jobs.Records;
using LoraServe.Serving.Requests;

namespace LoraServe.Jobs.Tests;

public sealed class ResumeTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Resume_JobThatFailed_GoesOnFromItsCheckpoint(bool isRestarted)
    {
        await using var bench = new TrainingBench();
        Job job = await bench.StartAsync(await RequestAsync(bench, steps: 3), TrainingBench.Alice);
        Fail(bench, job);
        bench.Runner.LetStep(2);
        Job failed = await bench.UntilAsync(job.Id, JobStatus.Failed);
        Assert.Equal(bench.Options.KeepFailedFor, failed.ResumableUntil - failed.FinishedAt);
        if (isRestarted)
        {
            await bench.RestartAsync();
        }

        bench.Runner.FailureAfter = null;
        Job resumed = bench.Jobs.Resume(TrainingBench.Alice, job.Id);
        bench.Runner.LetStep(1);
        Job done = await bench.UntilAsync(job.Id, JobStatus.Succeeded);

        Assert.Equal((JobStatus.Queued, "", null, null), (resumed.Status, resumed.Error, resumed.FinishedAt, resumed.ResumableUntil));
        Assert.Equal(3, bench.Runner.FirstSteps[^1]);
        Assert.Equal((3, "alice", null), (done.Progress!.Step, done.Owner, done.ResumableUntil));
    }

    [Fact]
    public async Task Resume_CancelledJob_GoesOnFromItsCheckpoint()
    {
        await using var bench = new TrainingBench();
        Job job = await bench.StartAsync();
        bench.Runner.LetStep();
        await bench.UntilStepAsync(job.Id, 1);
        bench.Jobs.Cancel(TrainingBench.Admin, job.Id);
        await bench.UntilAsync(job.Id, JobStatus.Cancelled);

        bench.Jobs.Resume(TrainingBench.Admin, job.Id);
        bench.Runner.LetStep();
        await bench.UntilAsync(job.Id, JobStatus.Succeeded);

        Assert.Equal([1, 2], bench.Runner.FirstSteps);
    }

    [Fact]
    public async Task Resume_ResultThatCouldNotBePublished_IsPublishedWithoutTraining()
    {
        await using var bench = new TrainingBench();
        JobRequest request = await RequestAsync(bench, publish: "tuned");
        request = request with { Publish = request.Publish! with { ExpectedVersion = 0 } };
        Job job = await bench.StartAsync(request, TrainingBench.Alice);
        await bench.Small.PublishAsync("tuned", "alice");
        bench.Runner.LetStep(2);
        await bench.UntilAsync(job.Id, JobStatus.Failed);
        bench.Small.Engine.Adapters.Unload(Principal.Operator, "tuned");

        bench.Jobs.Resume(TrainingBench.Alice, job.Id);
        await bench.UntilAsync(job.Id, JobStatus.Succeeded);

        Assert.Single(bench.Runner.Runs);
        Assert.Equal("alice", bench.Small.Engine.Adapters.Get(Principal.Operator, "tuned").Owner);
    }

    [Fact]
    public async Task Resume_NothingToGoOnWith_LeavesTheJobOrSaysWhy()
    {
        await using var bench = new TrainingBench(options => options.KeepFailedFor = TimeSpan.Zero);
        Job job = await bench.StartAsync();
        await bench.UntilAsync(job.Id, JobStatus.Running);
        Assert.Equal(JobStatus.Running, bench.Jobs.Resume(TrainingBench.Admin, job.Id).Status);
        bench.Runner.LetStep(2);
        await bench.UntilAsync(job.Id, JobStatus.Succeeded);
        Assert.Equal(JobStatus.Succeeded, bench.Jobs.Resume(TrainingBench.Admin, job.Id).Status);
        Job second = await bench.StartAsync();
        bench.Jobs.Cancel(TrainingBench.Admin, second.Id);
        await bench.UntilAsync(second.Id, JobStatus.Cancelled);

        EngineException refusal = Assert.Throws<EngineException>(() => bench.Jobs.Resume(TrainingBench.Admin, second.Id));

        Assert.Contains("its rows and checkpoints are gone", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(EngineError.Unsupported, refusal.Error);
        Assert.Equal(EngineError.UnknownJob, await TrainingBench.RefusalAsync(() => Task.FromResult(bench.Jobs.Resume(TrainingBench.Bob, job.Id))));
    }

    [Fact]
    public async Task Resume_QueueIsFull_IsRefusedAndLeavesTheJob()
    {
        await using var bench = new TrainingBench(options => options.MaxQueuedJobs = 1);
        Job cancelled = await bench.StartAsync();
        await bench.UntilAsync(cancelled.Id, JobStatus.Running);
        bench.Jobs.Cancel(TrainingBench.Admin, cancelled.Id);
        await bench.UntilAsync(cancelled.Id, JobStatus.Cancelled);
        await bench.UntilAsync((await bench.StartAsync()).Id, JobStatus.Running);
        await bench.StartAsync();

        Assert.Equal(EngineError.QueueFull, Assert.Throws<EngineException>(() => bench.Jobs.Resume(TrainingBench.Admin, cancelled.Id)).Error);

        Assert.Equal(JobStatus.Cancelled, bench.Jobs.Get(TrainingBench.Admin, cancelled.Id).Status);
    }

    [Fact]
    public async Task Sweep_AfterTheStatedTime_LetsRowsAndCheckpointsGo()
    {
        await using var bench = new TrainingBench();
        Job job = await bench.StartAsync(await RequestAsync(bench), TrainingBench.Alice);
        Fail(bench, job);
        bench.Runner.LetStep(2);
        await bench.UntilAsync(job.Id, JobStatus.Failed);
        string data = Path.Combine(bench.Options.StateFolder!, "data");
        string checkpoint = Path.Combine(Path.GetDirectoryName(bench.FileOf(job))!, "run", "adapter", "checkpoint");

        bench.Clock.Later = bench.Options.KeepFailedFor - TimeSpan.FromMinutes(5);
        bench.Jobs.Sweep();
        Assert.NotEmpty(Directory.GetFiles(data));
        Assert.True(File.Exists(checkpoint));

        bench.Clock.Later += TimeSpan.FromMinutes(10);
        bench.Jobs.Sweep();

        Assert.Empty(Directory.GetFiles(data));
        Assert.False(File.Exists(checkpoint));
        Assert.Null(bench.Jobs.Get(TrainingBench.Admin, job.Id).ResumableUntil);
        Assert.Throws<EngineException>(() => bench.Jobs.Resume(TrainingBench.Alice, job.Id));
    }

    [Fact]
    public async Task End_MoreThanAreKeptToResume_LetsTheFirstGo()
    {
        await using var bench = new TrainingBench(options => options.MaxResumableJobsPerTenant = 2);
        List<string> ids = [];
        for (int i = 0; i < 3; i++)
        {
            bench.Clock.Later = TimeSpan.FromMinutes(i);
            ids.Add((await bench.StartAsync()).Id);
            bench.Jobs.Cancel(TrainingBench.Admin, ids[^1]);
            await bench.UntilEndedAsync(ids[^1]);
        }

        await bench.StopAsync();

        Assert.Equal([false, true, true], ids.Select(id => bench.Jobs.Get(TrainingBench.Admin, id).ResumableUntil is not null));
    }

    [Fact]
    public async Task Upload_NoRoomBesideRowsKeptToResume_LetsThemAndTheirJobGo()
    {
        await using var bench = new TrainingBench(options => (options.MaxStoredBytes, options.MaxStoredBytesPerTenant) = (20, 20));
        Job job = await bench.StartAsync(await RequestAsync(bench), TrainingBench.Alice);
        bench.Jobs.Cancel(TrainingBench.Alice, job.Id);
        Assert.NotNull((await bench.UntilEndedAsync(job.Id)).ResumableUntil);

        await bench.UploadAsync(TrainingBench.Alice);

        Assert.Null(bench.Jobs.Get(TrainingBench.Alice, job.Id).ResumableUntil);
    }

    private static void Fail(TrainingBench bench, Job job) => bench.Runner.FailureAfter = step => step == 2 ? new InvalidDataException($"Job {job.Id} was made to fail.") : null;

    private static async Task<JobRequest> RequestAsync(TrainingBench bench, string? publish = null, int steps = 3)
    {
        JobRequest request = TrainingBench.Request(publish, publish is null ? steps : 2);
        request = request with { TrainingData = new DataSource { UploadId = await bench.UploadAsync(TrainingBench.Alice) } };
        return request;
    }
}
