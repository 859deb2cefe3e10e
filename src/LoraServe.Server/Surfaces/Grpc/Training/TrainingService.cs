using Grpc.Core;
using LoraServe.Jobs;
using LoraServe.Jobs.Records;
using LoraServe.Jobs.Rows;
using LoraServe.Serving.Requests;
using Proto = LoraServe.V1;

namespace LoraServe.Server.Surfaces.Grpc.Training;

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

        await using DataUpload upload = jobs.BeginUpload(CallerOf(context), header.Filename);
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

    public override async Task<Proto.TrainingJob> Start(Proto.StartTrainingRequest request, ServerCallContext context)
    {
        TrainingJobs jobs = Jobs;
        return JobMapping.ToMessage(await jobs.StartAsync(CallerOf(context), RequestMapping.ToDomain(request), RequestMapping.FieldOf, context.CancellationToken).ConfigureAwait(false));
    }

    public override async Task Watch(Proto.WatchTrainingRequest request, IServerStreamWriter<Proto.TrainingEvent> responseStream, ServerCallContext context)
    {
        await foreach (JobEvent happened in Jobs.WatchAsync(CallerOf(context), request.Id, request.IncludePast, context.CancellationToken).ConfigureAwait(false))
        {
            await responseStream.WriteAsync(JobMapping.ToMessage(happened), context.CancellationToken).ConfigureAwait(false);
        }
    }

    public override Task<Proto.TrainingJob> Cancel(Proto.CancelTrainingRequest request, ServerCallContext context) =>
        Task.FromResult(JobMapping.ToMessage(Jobs.Cancel(CallerOf(context), request.Id)));

    public override Task<Proto.TrainingJob> Resume(Proto.ResumeTrainingRequest request, ServerCallContext context) =>
        Task.FromResult(JobMapping.ToMessage(Jobs.Resume(CallerOf(context), request.Id)));

    public override Task<Proto.ListTrainingResponse> List(Proto.ListTrainingRequest request, ServerCallContext context)
    {
        int limit = request.HasLimit ? (int)Math.Min(request.Limit, int.MaxValue) : DefaultLimit;
        var response = new Proto.ListTrainingResponse();
        response.Jobs.AddRange(Jobs.List(CallerOf(context), IsWanted, limit).Select(JobMapping.ToMessage));
        return Task.FromResult(response);

        bool IsWanted(JobStatus status) => request.Statuses.Count == 0 || request.Statuses.Contains(JobMapping.ToMessage(status));
    }

    public override Task<Proto.TrainingJob> Get(Proto.GetTrainingRequest request, ServerCallContext context) =>
        Task.FromResult(JobMapping.ToMessage(Jobs.Get(CallerOf(context), request.Id)));

    private static Principal CallerOf(ServerCallContext context) => RequestContext.Of(context.UserState!).Caller;
}
