using LoraServe.Jobs.Records;
using LoraServe.Serving.Requests;
using LoraServe.Training.Reports;

namespace LoraServe.Jobs.Tests;

public sealed class EndedJobsTests
{
    [Theory]
    [InlineData(JobStatus.Succeeded)]
    [InlineData(JobStatus.Failed)]
    [InlineData(JobStatus.Cancelled)]
    public async Task End_NothingKeptToResume_GivesBackRowsAndCheckpointsAndKeepsTheRest(JobStatus status)
    {
        await using var bench = new TrainingBench(options => options.KeepFailedFor = TimeSpan.Zero);
        bench.Runner.FailureAtEnd = status == JobStatus.Failed ? new InvalidDataException("The loss is NaN.") : null;
        JobRequest request = await RequestAsync(bench);
        Job job = await bench.StartAsync(request);
        bench.Runner.LetStep();
        await bench.UntilStepAsync(job.Id, 1);
        string run = Path.Combine(Path.GetDirectoryName(bench.FileOf(job))!, "run", "adapter");
        Directory.CreateDirectory(Path.Combine(run, "checkpoints", "step-1"));
        if (status == JobStatus.Cancelled)
        {
            bench.Jobs.Cancel(TrainingBench.Admin, job.Id);
        }

        bench.Runner.LetStep();
        Job ended = await bench.UntilAsync(job.Id, status);
        await bench.StopAsync();

        Assert.Empty(Directory.GetFiles(Path.Combine(bench.Options.StateFolder!, "data")));
        string[] left = [.. Directory.GetFileSystemEntries(run).Select(entry => Path.GetFileName(entry)!)];
        Assert.Contains(MetricsLog.FileName, left);
        Assert.Equal(status == JobStatus.Succeeded, left.Contains("adapter"));
        Assert.Equal(status == JobStatus.Succeeded, left.Contains("checkpoint"));
        Assert.Equivalent(ended, bench.Jobs.Get(TrainingBench.Admin, job.Id), strict: true);
    }

    [Fact]
    public async Task End_RowsThatAnotherJobWaitsFor_StayUntilThatHasEnded()
    {
        await using var bench = new TrainingBench(options => options.KeepFailedFor = TimeSpan.Zero);
        JobRequest request = await RequestAsync(bench);
        Job first = await bench.StartAsync(request);
        Job second = await bench.StartAsync(request);
        await bench.UntilAsync(first.Id, JobStatus.Running);

        bench.Runner.LetStep(2);
        await bench.UntilAsync(first.Id, JobStatus.Succeeded);
        await bench.UntilAsync(second.Id, JobStatus.Running);
        bench.Jobs.Cancel(TrainingBench.Admin, (await bench.StartAsync(request)).Id);
        bench.Runner.LetStep(2);
        await bench.UntilAsync(second.Id, JobStatus.Succeeded);
        await bench.StopAsync();

        Assert.Empty(Directory.GetFiles(Path.Combine(bench.Options.StateFolder!, "data")));
    }

    [Fact]
    public async Task Restart_KilledBeforeGivingBack_GivesBack()
    {
        await using var bench = new TrainingBench(options => options.KeepFailedFor = TimeSpan.Zero);
        Job job = await bench.StartAsync(await RequestAsync(bench));
        await bench.UntilAsync(job.Id, JobStatus.Running);
        string data = Path.Combine(bench.Options.StateFolder!, "data");
        string[] rows = Directory.GetFiles(data);
        byte[][] bytes = [.. rows.Select(File.ReadAllBytes)];
        bench.Jobs.Cancel(TrainingBench.Admin, job.Id);
        await bench.UntilAsync(job.Id, JobStatus.Cancelled);

        await bench.RestartAsync(() => Array.ForEach(rows, file => File.WriteAllBytes(file, bytes[Array.IndexOf(rows, file)])));

        Assert.Empty(Directory.GetFiles(data));
    }

    [Fact]
    public async Task End_MoreThanAreKept_ForgetsTheOldestThatServesNothing()
    {
        await using var bench = new TrainingBench(options => options.MaxEndedJobs = 2);
        bench.Runner.LetStep(8);
        Job served = await bench.StartAsync(TrainingBench.Request(publish: "tuned"));
        Job unpublished = await bench.StartAsync();
        Job[] later = [await bench.StartAsync(), await bench.StartAsync()];
        await bench.UntilAsync(later[1].Id, JobStatus.Succeeded);
        await bench.StopAsync();

        Assert.Equal([later[1].Id, later[0].Id, served.Id], bench.Jobs.List(TrainingBench.Admin, _ => true, 10).Select(job => job.Id));
        Assert.False(Directory.Exists(Path.GetDirectoryName(bench.FileOf(unpublished))));

        bench.Small.Engine.Adapters.Unload(Principal.Operator, "tuned");
        await bench.RestartAsync();

        Assert.Equal([later[1].Id, later[0].Id], bench.Jobs.List(TrainingBench.Admin, _ => true, 10).Select(job => job.Id));
        Assert.False(Directory.Exists(Path.GetDirectoryName(bench.FileOf(served))));
    }

    private static async Task<JobRequest> RequestAsync(TrainingBench bench)
    {
        JobRequest request = TrainingBench.Request();
        request = request with { TrainingData = new DataSource { UploadId = await bench.UploadAsync(TrainingBench.Alice) } };
        request = request with { ValidationData = new DataSource { UploadId = await bench.UploadAsync(TrainingBench.Alice) } };
        return request;
    }
}
