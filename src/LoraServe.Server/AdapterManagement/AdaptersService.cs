using Grpc.Core;
using LoraServe.Adapters.Merging;
using LoraServe.Server.Access;
using LoraServe.Serving;
using LoraServe.Serving.Store;
using Proto = LoraServe.V1;

namespace LoraServe.Server.AdapterManagement;

/// <summary>The service <c>loraserve.v1.Adapters</c>: maps, checks who asks, delegates to the store.</summary>
internal sealed class AdaptersService(ServedModel served) : Proto.Adapters.AdaptersBase
{
    private readonly AdapterStore _store = served.Engine.Adapters;

    public override async Task<Proto.LoadAdapterResponse> Load(Proto.LoadAdapterRequest request, ServerCallContext context)
    {
        Principal caller = Caller.Of(context);
        caller.RequireAdmin("load adapters from the server's files");
        PublishOptions options = Options(caller, request.HasExpectedVersion ? request.ExpectedVersion : null, request.Pin, request.Aliases);
        return AdapterMapping.ToMessage(await _store.PublishBelowRootAsync(request.Name, request.Path, options, context.CancellationToken).ConfigureAwait(false));
    }

    public override async Task<Proto.LoadAdapterResponse> Upload(IAsyncStreamReader<Proto.UploadAdapterRequest> requestStream, ServerCallContext context)
    {
        Principal caller = Caller.Of(context);
        if (!await requestStream.MoveNext(context.CancellationToken).ConfigureAwait(false) || requestStream.Current.Header is not { } header)
        {
            throw new EngineException(EngineError.InvalidUpload, "The first message of an upload must have the header set.");
        }

        AdapterAccess.RequireChange(caller, _store, header.Name);
        PublishOptions options = Options(caller, header.HasExpectedVersion ? header.ExpectedVersion : null, header.Pin, header.Aliases);
        await using AdapterUpload upload = _store.BeginUpload(header.Name, options);
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
        AdapterAccess.RequireChange(Caller.Of(context), _store, request.Name);
        var response = new Proto.UnloadAdapterResponse();
        response.Unloaded.AddRange(_store.Unload(request.Name, request.DeleteFiles).Select(AdapterMapping.ToMessage));
        return Task.FromResult(response);
    }

    public override Task<Proto.ListAdaptersResponse> List(Proto.ListAdaptersRequest request, ServerCallContext context)
    {
        Principal caller = Caller.Of(context);
        var response = new Proto.ListAdaptersResponse { ResidentBytes = (ulong)_store.ResidentBytes, BudgetBytes = (ulong)_store.BudgetBytes };
        response.Adapters.AddRange(_store.List(request.Prefix)
            .Where(record => AdapterAccess.CanUse(caller, record) && (!request.ResidentOnly || record.Tier == AdapterTier.Resident))
            .Select(AdapterMapping.ToMessage));
        return Task.FromResult(response);
    }

    public override Task<Proto.Adapter> Get(Proto.GetAdapterRequest request, ServerCallContext context)
    {
        AdapterAccess.RequireUse(Caller.Of(context), _store, [new AdapterReference(request.Name)]);
        return Task.FromResult(AdapterMapping.ToMessage(_store.Get(request.Name)));
    }

    public override Task<Proto.Adapter> Pin(Proto.PinAdapterRequest request, ServerCallContext context)
    {
        Caller.Of(context).RequireAdmin("pin adapters, which takes memory from all");
        return Task.FromResult(AdapterMapping.ToMessage(_store.Pin(request.Name, request.Pinned)));
    }

    public override Task<Proto.SetAliasResponse> SetAlias(Proto.SetAliasRequest request, ServerCallContext context)
    {
        Principal caller = Caller.Of(context);
        AdapterAccess.RequireChange(caller, _store, request.Alias);
        if (request.Target.Length > 0)
        {
            AdapterAccess.RequireChange(caller, _store, request.Target);
        }

        return Task.FromResult(new Proto.SetAliasResponse { Alias = request.Alias, Target = _store.SetAlias(request.Alias, request.Target) });
    }

    public override async Task<Proto.LoadAdapterResponse> Merge(Proto.MergeAdaptersRequest request, ServerCallContext context)
    {
        Principal caller = Caller.Of(context);
        AdapterAccess.RequireChange(caller, _store, request.Name);
        AdapterReference[] inputs = [.. request.Inputs.Select(input => new AdapterReference(input.Name, input.HasWeight ? input.Weight : 1))];
        AdapterAccess.RequireUse(caller, _store, inputs);
        string method = request.Method.Length > 0 ? request.Method : "linear";
        var combination = new CombinationOptions
        {
            Method = CombinationOptions.FindMethod(method)
                ?? throw new EngineException(EngineError.InvalidRequest, $"method is '{method}'; expected linear, cat, svd, ties, ties_svd, dare_linear, dare_ties, dare_linear_svd, dare_ties_svd, magnitude_prune or magnitude_prune_svd."),
            Density = request.HasDensity ? request.Density : 1,
            Rank = request.HasRank ? (int)request.Rank : null,
        };
        PublishOptions options = Options(caller, request.HasExpectedVersion ? request.ExpectedVersion : null, pin: false, []);
        return AdapterMapping.ToMessage(await _store.PublishCombinationAsync(request.Name, inputs, combination, options, context.CancellationToken).ConfigureAwait(false));
    }

    public override async Task Watch(Proto.WatchAdaptersRequest request, IServerStreamWriter<Proto.AdapterEvent> responseStream, ServerCallContext context)
    {
        Principal caller = Caller.Of(context);
        await foreach (AdapterEvent happened in _store.WatchAsync(request.IncludeExisting, context.CancellationToken).ConfigureAwait(false))
        {
            if (happened.Adapter is null ? caller.IsAdmin : AdapterAccess.CanUse(caller, happened.Adapter))
            {
                await responseStream.WriteAsync(AdapterMapping.ToMessage(happened), context.CancellationToken).ConfigureAwait(false);
            }
        }
    }

    private static PublishOptions Options(Principal caller, uint? expectedVersion, bool pin, IEnumerable<string> aliases)
    {
        if (pin)
        {
            caller.RequireAdmin("pin adapters, which takes memory from all");
        }

        return new PublishOptions { ExpectedVersion = (int?)expectedVersion, Pin = pin, Aliases = [.. aliases], Owner = caller.Tenant };
    }
}
