using Grpc.Core;
using LoraServe.Server.Access;
using LoraServe.Serving;
using Proto = LoraServe.V1;

namespace LoraServe.Server.Training;

/// <summary>The service <c>loraserve.v1.Training</c>: maps, checks who asks, delegates to the jobs.</summary>
internal sealed class TrainingService(ServedModel served) : Proto.Training.TrainingBase
{
    private const int DefaultLimit = 100;

    private TrainingJobs Jobs => served.Training
        ?? throw new EngineException(EngineError.Unsupported, "This server does not train. Start it with a folder for training (LoraServe:Training:StateFolder).");

    public override async Task<Proto.UploadDataResponse> UploadData(IAsyncStreamReader<Proto.UploadDataRequest> requestStream, ServerCallContext context)
    {
        TrainingJobs jobs = Jobs;
        if (!await requestStream.MoveNext(context.CancellationToken).ConfigureAwait(false) || requestStream.Current.Header is not { } header)
        {
            throw new EngineException(EngineError.InvalidUpload, "The first message of an upload must have the header set.");
        }

        await using DataUpload upload = jobs.BeginUpload(Caller.Of(context), header.Filename);
        while (await requestStream.MoveNext(context.CancellationToken).ConfigureAwait(false))
        {
            if (requestStream.Current.PartCase != Proto.UploadDataRequest.PartOneofCase.Chunk)
            {
                throw new EngineException(EngineError.InvalidUpload, "Every message after the first must have a chunk set.");
            }

            await upload.WriteAsync(requestStream.Current.Chunk.Memory, context.CancellationToken).ConfigureAwait(false);
        }

        string id = await upload.CompleteAsync().ConfigureAwait(false);
        return new Proto.UploadDataResponse { UploadId = id, Bytes = (ulong)upload.Bytes, Rows = (ulong)upload.Rows };
    }

    public override Task<Proto.TrainingJob> Start(Proto.StartTrainingRequest request, ServerCallContext context) =>
        Jobs.StartAsync(Caller.Of(context), request, context.CancellationToken);

    public override async Task Watch(Proto.WatchTrainingRequest request, IServerStreamWriter<Proto.TrainingEvent> responseStream, ServerCallContext context)
    {
        await foreach (Proto.TrainingEvent happened in Jobs.WatchAsync(Caller.Of(context), request.Id, request.IncludePast, context.CancellationToken).ConfigureAwait(false))
        {
            await responseStream.WriteAsync(happened, context.CancellationToken).ConfigureAwait(false);
        }
    }

    public override Task<Proto.TrainingJob> Cancel(Proto.CancelTrainingRequest request, ServerCallContext context) =>
        Task.FromResult(Jobs.Cancel(Caller.Of(context), request.Id));

    public override Task<Proto.TrainingJob> Resume(Proto.ResumeTrainingRequest request, ServerCallContext context) =>
        Task.FromResult(Jobs.Resume(Caller.Of(context), request.Id));

    public override Task<Proto.ListTrainingResponse> List(Proto.ListTrainingRequest request, ServerCallContext context)
    {
        var response = new Proto.ListTrainingResponse();
        response.Jobs.AddRange(Jobs.List(Caller.Of(context), request.Statuses, request.HasLimit ? (int)Math.Min(request.Limit, int.MaxValue) : DefaultLimit));
        return Task.FromResult(response);
    }

    public override Task<Proto.TrainingJob> Get(Proto.GetTrainingRequest request, ServerCallContext context) =>
        Task.FromResult(Jobs.Get(Caller.Of(context), request.Id));
}
