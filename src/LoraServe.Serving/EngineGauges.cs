using System.Diagnostics.Metrics;
using LoraServe.Serving.Metrics;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Store;
using LoraServe.Serving.Store.Versions;

namespace LoraServe.Serving;

/// <summary>What an engine's meter shows of the moment, read whenever somebody collects.</summary>
internal static class EngineGauges
{
    public static void Add(Meter meter, Func<EngineStatus> status, AdapterStore adapters)
    {
        meter.CreateObservableGauge(EngineMetrics.QueuedRequests, () => status().QueuedRequests, "{request}", "Requests that wait.");
        meter.CreateObservableGauge(EngineMetrics.RunningSequences, () => status().RunningSequences, "{sequence}", "Sequences that take part in steps.");
        meter.CreateObservableGauge(EngineMetrics.KvPages, () => Pages(status()), "{page}", "Pages of the key/value cache.");
        meter.CreateObservableGauge(EngineMetrics.AdapterBytes, () => Bytes(adapters), "By", "Memory of adapters.");
        meter.CreateObservableGauge(EngineMetrics.AdapterBudget, () => adapters.BudgetBytes, "By", "Memory set aside for resident adapters.");
        meter.CreateObservableGauge(EngineMetrics.AdapterCount, () => Counts(adapters), "{adapter}", "Adapter versions by the fastest place where they are.");
    }

    private static IEnumerable<Measurement<int>> Pages(EngineStatus status) =>
    [
        new(status.UsedPages, new KeyValuePair<string, object?>("state", "used")),
        new(status.CachedPages, new KeyValuePair<string, object?>("state", "cached")),
        new(status.TotalPages - status.UsedPages - status.CachedPages, new KeyValuePair<string, object?>("state", "free")),
    ];

    private static IEnumerable<Measurement<long>> Bytes(AdapterStore adapters) =>
        [new(adapters.HostBytes, EngineInstruments.Tier(AdapterTier.Host)), new(adapters.ResidentBytes, EngineInstruments.Tier(AdapterTier.Resident))];

    // Also of a tier without adapters: what is not reported any more keeps its last value wherever it is collected.
    private static IEnumerable<Measurement<int>> Counts(AdapterStore adapters)
    {
        ILookup<AdapterTier, AdapterRecord> tiers = adapters.List(Principal.Operator).ToLookup(adapter => adapter.Tier);
        return Enum.GetValues<AdapterTier>().Select(tier => new Measurement<int>(tiers[tier].Count(), EngineInstruments.Tier(tier)));
    }
}
