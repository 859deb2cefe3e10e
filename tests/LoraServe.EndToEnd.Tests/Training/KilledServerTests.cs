using LoraServe.Client;
using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.V1;

namespace LoraServe.EndToEnd.Tests.Training;

/// <summary>Jobs of a server that is killed again and again.</summary>
public sealed class KilledServerTests
{
    private const int Kills = 4; // one more than a job without progress would survive
    private const uint StepsBetween = 6;

    [Fact]
    public async Task Kill_JobThatCheckpointsInBetween_IsNeverGivenUp()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllLinesAsync(folder.At("rows.jsonl"), Enumerable.Repeat("""{"prompt": "Say hello", "completion": "hello"}""", 8));
        string? id = null;
        uint last = 0;
        for (int kill = 0; kill < Kills; kill++)
        {
            using CommandProcess server = CommandProcess.Serve(folder);
            using var client = new LoraServeClient(await server.AddressAsync());
            id ??= (await client.StartTrainingAsync(folder.At("rows.jsonl"), new StartTrainingRequest { Hyperparameters = new Hyperparameters { MaxSteps = 1_000_000, BatchSize = 2, SaveSteps = 1 } })).Id;
            uint step = 0;
            await foreach (TrainingEvent happened in client.WatchTrainingAsync(id))
            {
                Assert.True(happened.Job is not { Status: TrainingStatus.Failed }, happened.Job?.Error);
                step = happened.Progress?.Step ?? step;
                if (step >= last + StepsBetween)
                {
                    break;
                }
            }

            // It went on where it was, but for what the kill cost.
            Assert.True(step >= last + StepsBetween, $"step {step} after {last}");
            last = step;
            server.Kill();
            await server.EndAsync();
        }

        using CommandProcess again = CommandProcess.Serve(folder);
        using var asking = new LoraServeClient(await again.AddressAsync());
        Assert.Equal(TrainingStatus.Running, (await asking.Training.GetAsync(new GetTrainingRequest { Id = id })).Status);
    }
}
