using Google.Protobuf.WellKnownTypes;
using LoraServe.Serving.Store;
using LoraServe.Serving.Store.Versions;
using Proto = LoraServe.V1;

namespace LoraServe.Server.Surfaces.Grpc.Adapters;

/// <summary>What the adapter store says, as messages.</summary>
internal static class AdapterMapping
{
    public static Proto.Adapter ToMessage(AdapterRecord record)
    {
        var message = new Proto.Adapter
        {
            Name = record.Name,
            Version = (uint)record.Version,
            Digest = record.Digest,
            Owner = record.Owner,
            Source = $"{Spell(record.Source)}: {record.Path}",
            Method = record.Method,
            Tier = Tier(record.Tier),
            DiskBytes = (ulong)record.FileBytes,
            HostBytes = (ulong)record.HostBytes,
            ResidentBytes = (ulong)record.ResidentBytes,
            Pinned = record.IsPinned,
            Latest = record.IsLatest,
            InUse = (uint)record.InUse,
            Requests = (ulong)(record.Hits + record.Misses),
            Hits = (ulong)record.Hits,
            Misses = (ulong)record.Misses,
            LastLoadSeconds = record.LastLoadSeconds,
            PublishedAt = record.PublishedAt.ToTimestamp(),
            LastUsedAt = record.LastUsedAt?.ToTimestamp(),
            Tasks = (uint)record.Tasks,
            MinRank = (uint)record.MinimumRank,
            MaxRank = (uint)record.MaximumRank,
        };
        message.Aliases.AddRange(record.Aliases);
        return message;
    }

    public static Proto.LoadAdapterResponse ToMessage(PublishResult result)
    {
        LoadReport report = result.Report;
        var message = new Proto.LoadReport
        {
            MatchedModules = (uint)report.Adapter.MatchedModules.Length,
            MinRank = (uint)report.Adapter.MinimumRank,
            MaxRank = (uint)report.Adapter.MaximumRank,
            ResidentBytes = (ulong)report.ResidentBytes,
            ProbeLogitChange = report.ProbeLogitChange,
            LoadSeconds = report.LoadSeconds,
        };
        message.UnmatchedModules.AddRange(report.Adapter.UnmatchedModules);
        message.Notes.AddRange(report.Adapter.Notes);
        foreach ((string module, double norm) in report.Adapter.DeltaNorms)
        {
            message.Norms[module] = norm;
        }

        return new Proto.LoadAdapterResponse { Adapter = ToMessage(result.Adapter), Report = message };
    }

    public static Proto.AdapterEvent ToMessage(AdapterEvent happened) => new()
    {
        Type = happened.Type switch
        {
            AdapterEventType.Exists => Proto.AdapterEventType.Exists,
            AdapterEventType.Published => Proto.AdapterEventType.Published,
            AdapterEventType.Resident => Proto.AdapterEventType.Resident,
            AdapterEventType.Evicted => Proto.AdapterEventType.Evicted,
            AdapterEventType.Unloaded => Proto.AdapterEventType.Unloaded,
            AdapterEventType.AliasChanged => Proto.AdapterEventType.AliasChanged,
            AdapterEventType.LoadFailed => Proto.AdapterEventType.LoadFailed,
            _ => Proto.AdapterEventType.Unspecified,
        },
        Adapter = happened.Adapter is { } record ? ToMessage(record) : new Proto.Adapter { Name = happened.Name },
        At = happened.At.ToTimestamp(),
        Detail = happened.Detail,
        Alias = happened.Type == AdapterEventType.AliasChanged ? happened.Name : "",
    };

    private static Proto.AdapterTier Tier(AdapterTier tier) => tier switch
    {
        AdapterTier.Resident => Proto.AdapterTier.Resident,
        AdapterTier.Host => Proto.AdapterTier.Host,
        _ => Proto.AdapterTier.Disk,
    };

    private static string Spell(AdapterSource source) => source.ToString().ToLowerInvariant();
}
