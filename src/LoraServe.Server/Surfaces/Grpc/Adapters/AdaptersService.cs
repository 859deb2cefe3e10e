using Grpc.Core;
using LoraServe.Adapters.Merging;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Store;
using LoraServe.Serving.Store.Versions;
using Proto = LoraServe.V1;

namespace LoraServe.Server.Surfaces.Grpc.Adapters;

/// <summary>The service <c>loraserve.v1.Adapters</c>: maps, says who asks, delegates to the store.</summary>
internal sealed class AdaptersService(ServedModel served) : Proto.Adapters.AdaptersBase
{
    private readonly AdapterStore _store = served.Engine.Adapters;

    public override async Task<Proto.LoadAdapterResponse> Load(Proto.LoadAdapterRequest request, ServerCallContext context)
    {
        PublishOptions options = Options(request.HasExpectedVersion ? request.ExpectedVersion : null, request.Pin, request.Aliases);
        return AdapterMapping.ToMessage(await _store.PublishBelowRootAsync(CallerOf(context), request.Name, request.Path, options, context.CancellationToken).ConfigureAwait(false));
    }

    public override async Task<Proto.LoadAdapterResponse> Upload(IAsyncStreamReader<Proto.UploadAdapterRequest> requestStream, ServerCallContext context)
    {
        if (!await requestStream.MoveNext(context.CancellationToken).ConfigureAwait(false) || requestStream.Current.Header is not { } header)
        {
            throw new EngineException(EngineError.InvalidUpload, "The first message of an upload must have the header set.");
        }

        PublishOptions options = Options(header.HasExpectedVersion ? header.ExpectedVersion : null, header.Pin, header.Aliases);
        await using AdapterUpload upload = _store.BeginUpload(CallerOf(context), header.Name, options);
        while (await requestStream.MoveNext(context.CancellationToken).ConfigureAwait(false))
        {
            if (requestStream.Current.Chunk is not { } chunk)
            {
                throw new EngineException(EngineError.InvalidUpload, "Every message after the first must have a chunk set.");
            }

            await upload.WriteAsync(chunk.File, chunk.Data.Memory, context.CancellationToken).ConfigureAwait(false);
        }

        return AdapterMapping.ToMessage(await upload.CompleteAsync(context.CancellationToken).ConfigureAwait(false));
    }

    public override Task<Proto.UnloadAdapterResponse> Unload(Proto.UnloadAdapterRequest request, ServerCallContext context)
    {
        var response = new Proto.UnloadAdapterResponse();
        response.Unloaded.AddRange(_store.Unload(CallerOf(context), request.Name, request.DeleteFiles).Select(AdapterMapping.ToMessage));
        return Task.FromResult(response);
    }

    public override Task<Proto.ListAdaptersResponse> List(Proto.ListAdaptersRequest request, ServerCallContext context)
    {
        var response = new Proto.ListAdaptersResponse { ResidentBytes = (ulong)_store.ResidentBytes, BudgetBytes = (ulong)_store.BudgetBytes };
        response.Adapters.AddRange(_store.List(CallerOf(context), request.Prefix)
            .Where(record => !request.ResidentOnly || record.Tier == AdapterTier.Resident)
            .Select(AdapterMapping.ToMessage));
        return Task.FromResult(response);
    }

    public override Task<Proto.Adapter> Get(Proto.GetAdapterRequest request, ServerCallContext context) =>
        Task.FromResult(AdapterMapping.ToMessage(_store.Get(CallerOf(context), request.Name)));

    public override Task<Proto.Adapter> Pin(Proto.PinAdapterRequest request, ServerCallContext context) =>
        Task.FromResult(AdapterMapping.ToMessage(_store.Pin(CallerOf(context), request.Name, request.Pinned)));

    public override Task<Proto.SetAliasResponse> SetAlias(Proto.SetAliasRequest request, ServerCallContext context) =>
        Task.FromResult(new Proto.SetAliasResponse { Alias = request.Alias, Target = _store.SetAlias(CallerOf(context), request.Alias, request.Target) });

    public override async Task<Proto.LoadAdapterResponse> Merge(Proto.MergeAdaptersRequest request, ServerCallContext context)
    {
        AdapterReference[] inputs = [.. request.Inputs.Select(input => new AdapterReference(input.Name, input.HasWeight ? input.Weight : 1))];
        CombinationOptions combination = CombinationSettings.Read(
            request.Method.Length > 0 ? request.Method : "linear",
            request.HasDensity ? request.Density : null,
            request.HasRank ? request.Rank : null,
            request.MajoritySignMethod,
            request.Seed);
        PublishOptions options = Options(request.HasExpectedVersion ? request.ExpectedVersion : null, pin: false, []);
        return AdapterMapping.ToMessage(
            await _store.PublishCombinationAsync(CallerOf(context), request.Name, inputs, combination, options, context.CancellationToken).ConfigureAwait(false));
    }

    public override async Task Watch(Proto.WatchAdaptersRequest request, IServerStreamWriter<Proto.AdapterEvent> responseStream, ServerCallContext context)
    {
        await foreach (AdapterEvent happened in _store.WatchAsync(CallerOf(context), request.IncludeExisting, context.CancellationToken).ConfigureAwait(false))
        {
            await responseStream.WriteAsync(AdapterMapping.ToMessage(happened), context.CancellationToken).ConfigureAwait(false);
        }
    }

    private static PublishOptions Options(uint? expectedVersion, bool pin, IEnumerable<string> aliases) =>
        new() { ExpectedVersion = expectedVersion is { } expected ? (int)Math.Min(expected, int.MaxValue) : null, Pin = pin, Aliases = [.. aliases] };

    private static Principal CallerOf(ServerCallContext context) => RequestContext.Of(context.UserState!).Caller;
}
