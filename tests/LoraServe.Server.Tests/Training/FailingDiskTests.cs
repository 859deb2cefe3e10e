using LoraServe.Serving;
using LoraServe.Testing;
using Proto = LoraServe.V1;

namespace LoraServe.Server.Tests.Training;

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
            Proto.StartTrainingRequest request = TrainingBench.Request(publish: "tuned");
            request.TrainingData = new Proto.TrainingData { UploadId = await bench.UploadAsync(TrainingBench.Alice) };
            bench.Runner.LetStep(2);
            Proto.TrainingJob? job = null;
            using (var disk = new FailingDisk(step))
            {
                try
                {
                    job = await bench.StartAsync(request, TrainingBench.Alice);
                    Proto.TrainingJob ended = await bench.UntilEndedAsync(job.Id);
                    Assert.True(ended.Status == Proto.TrainingStatus.Succeeded || ended.Error.Contains("No space left", StringComparison.Ordinal), ended.Error);
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
                Assert.Empty(bench.Jobs.List(TrainingBench.Admin, [], 10));
                job = await bench.StartAsync(request, TrainingBench.Alice);
            }

            if ((await bench.UntilEndedAsync(job.Id)).Status == Proto.TrainingStatus.Failed)
            {
                bench.Jobs.Resume(TrainingBench.Alice, job.Id);
            }

            Assert.Equal("tuned@1", (await bench.UntilAsync(job.Id, Proto.TrainingStatus.Succeeded)).Adapter);
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
            await bench.UntilAsync((await bench.StartAsync()).Id, Proto.TrainingStatus.Running);
            Proto.TrainingJob job = await bench.StartAsync();
            bool isCancelled = false;
            using (var disk = new FailingDisk(step))
            {
                try
                {
                    isCancelled = bench.Jobs.Cancel(TrainingBench.Admin, job.Id).Status == Proto.TrainingStatus.Cancelled;
                }
                catch (EngineException refusal)
                {
                    Assert.Equal(EngineError.StorageFailed, refusal.Error);
                }

                hasFailed = disk.HasFailed;
            }

            Assert.Equal(!hasFailed, isCancelled);
            await bench.RestartAsync();
            Assert.Equal(isCancelled ? Proto.TrainingStatus.Cancelled : Proto.TrainingStatus.Queued, bench.Jobs.Get(TrainingBench.Admin, job.Id).Status);
        }
    }
}
