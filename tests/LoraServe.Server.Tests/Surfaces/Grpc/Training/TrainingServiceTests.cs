using Google.Protobuf;
using Grpc.Core;
using LoraServe.Jobs;
using LoraServe.Jobs.Records;
using LoraServe.Jobs.Tests;
using LoraServe.Server.Surfaces;
using LoraServe.Server.Surfaces.Grpc.Training;
using LoraServe.Serving.Requests;
using Proto = LoraServe.V1;

namespace LoraServe.Server.Tests.Surfaces.Grpc.Training;

public sealed class TrainingServiceTests
{
    [Fact]
    public async Task Calls_ServerThatDoesNotTrain_SayWhatToDo()
    {
        await using var small = new SmallEngine();
        TrainingService service = ServiceOf(small, null);

        EngineException refusal = await Assert.ThrowsAsync<EngineException>(() => service.List(new Proto.ListTrainingRequest(), new FakeCall(TrainingBench.Admin)));

        Assert.Equal(EngineError.Unsupported, refusal.Error);
        Assert.Contains("StateFolder", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Upload_ThenStartListGetCancel_GoThroughTheService()
    {
        await using var bench = new TrainingBench();
        TrainingService service = ServiceOf(bench.Small, bench.Jobs);
        var alice = new FakeCall(TrainingBench.Alice);

        Proto.UploadDataResponse upload = await service.UploadData(new Messages(Header("train.jsonl"), Chunk("{\"text\":"), Chunk("\"a\"}\n{}")), alice);
        Assert.Equal((15ul, 2ul), (upload.Bytes, upload.Rows));
        var request = new Proto.StartTrainingRequest { TrainingData = new Proto.TrainingData { UploadId = upload.UploadId }, Hyperparameters = new Proto.Hyperparameters { MaxSteps = 1 } };
        Proto.TrainingJob job = await service.Start(request, alice);
        Assert.Equal((Proto.TrainingStatus.Queued, "alice", request), (job.Status, job.Owner, job.Request));
        Assert.Equal(job.Id, Assert.Single((await service.List(new Proto.ListTrainingRequest(), alice)).Jobs).Id);
        Assert.Empty((await service.List(new Proto.ListTrainingRequest { Limit = 0 }, alice)).Jobs);
        Assert.Empty((await service.List(new Proto.ListTrainingRequest { Statuses = { Proto.TrainingStatus.Unspecified } }, alice)).Jobs);
        Assert.Single((await service.List(new Proto.ListTrainingRequest { Statuses = { Proto.TrainingStatus.Failed, Proto.TrainingStatus.Queued, Proto.TrainingStatus.Running } }, alice)).Jobs);
        await service.Cancel(new Proto.CancelTrainingRequest { Id = job.Id }, alice);
        Assert.Equal(JobStatus.Cancelled, (await bench.UntilAsync(job.Id, JobStatus.Cancelled)).Status);
        Assert.Equal(Proto.TrainingStatus.Cancelled, (await service.Get(new Proto.GetTrainingRequest { Id = job.Id }, alice)).Status);
    }

    [Fact]
    public async Task Upload_MessagesInAnotherOrder_IsRefused()
    {
        await using var bench = new TrainingBench();
        TrainingService service = ServiceOf(bench.Small, bench.Jobs);

        foreach (Messages messages in new[] { new Messages(), new Messages(Chunk("{}")), new Messages(Header("a"), Header("b")), new Messages(Header("a"), new Proto.UploadDataRequest()) })
        {
            Assert.Equal(EngineError.InvalidUpload, await TrainingBench.RefusalAsync(() => service.UploadData(messages, new FakeCall(TrainingBench.Alice))));
        }
    }

    private static TrainingService ServiceOf(SmallEngine small, TrainingJobs? jobs) => new(new ServedModel(small.Model, small.Engine, null) { Training = jobs });

    private static Proto.UploadDataRequest Header(string name) => new() { Header = new Proto.UploadDataHeader { Filename = name } };

    private static Proto.UploadDataRequest Chunk(string text) => new() { Chunk = ByteString.CopyFromUtf8(text) };

    private sealed class Messages(params Proto.UploadDataRequest[] messages) : IAsyncStreamReader<Proto.UploadDataRequest>
    {
        private int _at = -1;

        public Proto.UploadDataRequest Current => messages[_at];

        public Task<bool> MoveNext(CancellationToken cancellationToken) => Task.FromResult(++_at < messages.Length);
    }
}
