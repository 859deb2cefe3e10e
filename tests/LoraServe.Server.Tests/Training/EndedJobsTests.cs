using LoraServe.Serving;
using LoraServe.Training.Reports;
using Proto = LoraServe.V1;

namespace LoraServe.Server.Tests.Training;

public sealed class EndedJobsTests
{
    [Theory]
    [InlineData(Proto.TrainingStatus.Succeeded)]
    [InlineData(Proto.TrainingStatus.Failed)]
    [InlineData(Proto.TrainingStatus.Cancelled)]
    public async Task End_NothingKeptToResume_GivesBackRowsAndCheckpointsAndKeepsTheRest(Proto.TrainingStatus status)
    {
        await using var bench = new TrainingBench(options => options.KeepFailedFor = TimeSpan.Zero);
        bench.Runner.FailureAtEnd = status == Proto.TrainingStatus.Failed ? new InvalidDataException("The loss is NaN.") : null;
        Proto.StartTrainingRequest request = await RequestAsync(bench);
        Proto.TrainingJob job = await bench.StartAsync(request);
        bench.Runner.LetStep();
        await bench.UntilStepAsync(job.Id, 1);
        string run = Path.Combine(Path.GetDirectoryName(bench.FileOf(job))!, "run", "adapter");
        Directory.CreateDirectory(Path.Combine(run, "checkpoints", "step-1"));
        if (status == Proto.TrainingStatus.Cancelled)
        {
            bench.Jobs.Cancel(TrainingBench.Admin, job.Id);
        }

        bench.Runner.LetStep();
        Proto.TrainingJob ended = await bench.UntilAsync(job.Id, status);
        await bench.StopAsync();

        Assert.Empty(Directory.GetFiles(Path.Combine(bench.Options.StateFolder!, "data")));
        string[] left = [.. Directory.GetFileSystemEntries(run).Select(entry => Path.GetFileName(entry)!)];
        Assert.Contains(MetricsLog.FileName, left);
        Assert.Equal(status == Proto.TrainingStatus.Succeeded, left.Contains("adapter"));
        Assert.Equal(status == Proto.TrainingStatus.Succeeded, left.Contains("checkpoint"));
        Assert.Equal(ended, bench.Jobs.Get(TrainingBench.Admin, job.Id));
    }

    [Fact]
    public async Task End_RowsThatAnotherJobWaitsFor_StayUntilThatHasEnded()
    {
        await using var bench = new TrainingBench(options => options.KeepFailedFor = TimeSpan.Zero);
        Proto.StartTrainingRequest request = await RequestAsync(bench);
        Proto.TrainingJob first = await bench.StartAsync(request);
        Proto.TrainingJob second = await bench.StartAsync(request);
        await bench.UntilAsync(first.Id, Proto.TrainingStatus.Running);

        bench.Runner.LetStep(2);
        await bench.UntilAsync(first.Id, Proto.TrainingStatus.Succeeded);
        await bench.UntilAsync(second.Id, Proto.TrainingStatus.Running);
        bench.Jobs.Cancel(TrainingBench.Admin, (await bench.StartAsync(request)).Id);
        bench.Runner.LetStep(2);
        await bench.UntilAsync(second.Id, Proto.TrainingStatus.Succeeded);
        await bench.StopAsync();

        Assert.Empty(Directory.GetFiles(Path.Combine(bench.Options.StateFolder!, "data")));
    }

    [Fact]
    public async Task Restart_KilledBeforeGivingBack_GivesBack()
    {
        await using var bench = new TrainingBench(options => options.KeepFailedFor = TimeSpan.Zero);
        Proto.TrainingJob job = await bench.StartAsync(await RequestAsync(bench));
        await bench.UntilAsync(job.Id, Proto.TrainingStatus.Running);
        string data = Path.Combine(bench.Options.StateFolder!, "data");
        string[] rows = Directory.GetFiles(data);
        byte[][] bytes = [.. rows.Select(File.ReadAllBytes)];
        bench.Jobs.Cancel(TrainingBench.Admin, job.Id);
        await bench.UntilAsync(job.Id, Proto.TrainingStatus.Cancelled);

        await bench.RestartAsync(() => Array.ForEach(rows, file => File.WriteAllBytes(file, bytes[Array.IndexOf(rows, file)])));

        Assert.Empty(Directory.GetFiles(data));
    }

    [Fact]
    public async Task End_MoreThanAreKept_ForgetsTheOldestThatServesNothing()
    {
        await using var bench = new TrainingBench(options => options.MaxEndedJobs = 2);
        bench.Runner.LetStep(8);
        Proto.TrainingJob served = await bench.StartAsync(TrainingBench.Request(publish: "tuned"));
        Proto.TrainingJob unpublished = await bench.StartAsync();
        Proto.TrainingJob[] later = [await bench.StartAsync(), await bench.StartAsync()];
        await bench.UntilAsync(later[1].Id, Proto.TrainingStatus.Succeeded);
        await bench.StopAsync();

        Assert.Equal([later[1].Id, later[0].Id, served.Id], bench.Jobs.List(TrainingBench.Admin, [], 10).Select(job => job.Id));
        Assert.False(Directory.Exists(Path.GetDirectoryName(bench.FileOf(unpublished))));

        bench.Small.Engine.Adapters.Unload(Principal.Operator, "tuned");
        await bench.RestartAsync();

        Assert.Equal([later[1].Id, later[0].Id], bench.Jobs.List(TrainingBench.Admin, [], 10).Select(job => job.Id));
        Assert.False(Directory.Exists(Path.GetDirectoryName(bench.FileOf(served))));
    }

    private static async Task<Proto.StartTrainingRequest> RequestAsync(TrainingBench bench)
    {
        Proto.StartTrainingRequest request = TrainingBench.Request();
        request.TrainingData = new Proto.TrainingData { UploadId = await bench.UploadAsync(TrainingBench.Alice) };
        request.ValidationData = new Proto.TrainingData { UploadId = await bench.UploadAsync(TrainingBench.Alice) };
        return request;
    }
}
