using LoraServe.Jobs.Records;
using LoraServe.Serving.Requests;
using LoraServe.Testing;

namespace LoraServe.Jobs.Tests;

/// <summary>The disk fails once, at each step that a job takes on it in turn, and the server is killed after that.</summary>
public sealed class FailingDiskTests
{
    [Fact]
    public async Task Start_DiskFailsAtAnyStep_LosesNothingThatWasAcknowledged()
    {
        bool hasFailed = true;
        for (int step = 1; hasFailed; step++)
        {
            await using var bench = new TrainingBench();
            bench.Log.Allow("No space left on device");
            JobRequest request = TrainingBench.Request(publish: "tuned");
            request = request with { TrainingData = new DataSource { UploadId = await bench.UploadAsync(TrainingBench.Alice) } };
            bench.Runner.LetStep(2);
            Job? job = null;
            using (var disk = new FailingDisk(step))
            {
                try
                {
                    job = await bench.StartAsync(request, TrainingBench.Alice);
                    Job ended = await bench.UntilEndedAsync(job.Id);
                    Assert.True(ended.Status == JobStatus.Succeeded || ended.Error.Contains("No space left", StringComparison.Ordinal), ended.Error);
                }
                catch (EngineException refusal)
                {
                    Assert.Equal(EngineError.StorageFailed, refusal.Error);
                }

                hasFailed = disk.HasFailed;
            }

            string? asKilled = job is null ? null : await File.ReadAllTextAsync(bench.FileOf(job));
            await bench.RestartAsync(() =>
            {
                if (job is not null)
                {
                    File.WriteAllText(bench.FileOf(job), asKilled);
                }
            });
            bench.Runner.LetStep(2);
            if (job is null)
            {
                Assert.Empty(bench.Jobs.List(TrainingBench.Admin, _ => true, 10));
                job = await bench.StartAsync(request, TrainingBench.Alice);
            }

            if ((await bench.UntilEndedAsync(job.Id)).Status == JobStatus.Failed)
            {
                bench.Jobs.Resume(TrainingBench.Alice, job.Id);
            }

            Assert.Equal("tuned@1", (await bench.UntilAsync(job.Id, JobStatus.Succeeded)).Adapter);
        }
    }

    [Fact]
    public async Task Cancel_DiskFails_IsRefusedOrStays()
    {
        bool hasFailed = true;
        for (int step = 1; hasFailed; step++)
        {
            await using var bench = new TrainingBench();
            bench.Log.Allow("No space left on device");
            await bench.UntilAsync((await bench.StartAsync()).Id, JobStatus.Running);
            Job job = await bench.StartAsync();
            bool isCancelled = false;
            using (var disk = new FailingDisk(step))
            {
                try
                {
                    isCancelled = bench.Jobs.Cancel(TrainingBench.Admin, job.Id).Status == JobStatus.Cancelled;
                }
                catch (EngineException refusal)
                {
                    Assert.Equal(EngineError.StorageFailed, refusal.Error);
                }

                hasFailed = disk.HasFailed;
            }

            Assert.Equal(!hasFailed, isCancelled);
            await bench.RestartAsync();
            Assert.Equal(isCancelled ? JobStatus.Cancelled : JobStatus.Queued, bench.Jobs.Get(TrainingBench.Admin, job.Id).Status);
        }
    }
}
