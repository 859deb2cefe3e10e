using Grpc.Core;
using LoraServe.V1;

namespace LoraServe.Client.Tests;

public sealed class TrainingCallsTests : IDisposable
{
    private readonly string _file = Path.Combine(Directory.CreateTempSubdirectory("loraserve-").FullName, "train.jsonl");

    public TrainingCallsTests() => File.WriteAllText(_file, string.Concat(Enumerable.Repeat("{\"text\": \"a row of some length\"}\n", 50_000)));

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_file)!, recursive: true);

    [Fact]
    public async Task StartTraining_File_SendsItsRowsAndThenTheJob()
    {
        await using ServerDouble server = await ServerDouble.StartAsync();
        using LoraServeClient client = server.Connect();
        var request = new StartTrainingRequest { Publish = new PublishTarget { Name = "support" } };

        TrainingJob job = await client.StartTrainingAsync(_file, request);

        Assert.Equal("job-7", job.Id);
        UploadDataRequest[] upload = [.. server.Conversation.Heard.OfType<UploadDataRequest>()];
        Assert.Equal("train.jsonl", upload[0].Header.Filename);
        Assert.True(upload.Length > 2);
        Assert.Equal(await File.ReadAllBytesAsync(_file), upload.Skip(1).SelectMany(message => message.Chunk).ToArray());
        StartTrainingRequest sent = Assert.IsType<StartTrainingRequest>(server.Conversation.Heard[^1]);
        Assert.Equal(("data-7", "support"), (sent.TrainingData.UploadId, sent.Publish.Name));
        Assert.Null(request.TrainingData);
    }

    [Fact]
    public async Task UploadData_RefusedInBetween_FailsWithTheServersReason()
    {
        await using ServerDouble server = await ServerDouble.StartAsync();
        server.Conversation.Refusal = new Status(StatusCode.FailedPrecondition, "no training here");
        using LoraServeClient client = server.Connect();

        RpcException refusal = await Assert.ThrowsAsync<RpcException>(() => client.UploadDataAsync(_file));

        Assert.Equal((StatusCode.FailedPrecondition, "no training here"), (refusal.StatusCode, refusal.Status.Detail));
    }

    [Fact]
    public async Task WaitForTraining_UntilItsEnd_ReportsStepsAndAnswersTheJob()
    {
        await using ServerDouble server = await ServerDouble.StartAsync();
        server.Conversation.Events =
        [
            new TrainingEvent { Job = new TrainingJob { Status = TrainingStatus.Running } },
            new TrainingEvent { Progress = new TrainingProgress { Step = 1 } },
            new TrainingEvent { Progress = new TrainingProgress { Step = 2 } },
            new TrainingEvent { Job = new TrainingJob { Status = TrainingStatus.Succeeded } },
        ];
        using LoraServeClient client = server.Connect();
        var steps = new Steps();

        TrainingJob job = await client.WaitForTrainingAsync("job-7", steps);

        Assert.Equal(TrainingStatus.Succeeded, job.Status);
        Assert.Equal([1u, 2u], steps.Seen);
        Assert.Equal(new WatchTrainingRequest { Id = "job-7" }, server.Conversation.Heard.Single());
    }

    private sealed class Steps : IProgress<TrainingProgress>
    {
        public List<uint> Seen { get; } = [];

        public void Report(TrainingProgress value) => Seen.Add(value.Step);
    }
}
