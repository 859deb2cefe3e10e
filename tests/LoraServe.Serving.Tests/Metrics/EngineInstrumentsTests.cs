using System.Diagnostics.Metrics;
using LoraServe.Serving.Metrics;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Store;

namespace LoraServe.Serving.Tests.Metrics;

public class EngineInstrumentsTests
{
    [Fact]
    public async Task AdapterCount_TierWithoutAdapters_IsReportedAsZero()
    {
        await using var harness = new EngineHarness();
        AdapterStore store = harness.Engine.Adapters;
        Assert.Equal([(0, "disk"), (0, "host"), (0, "resident")], Counts(harness.Engine));
        await store.PublishAsync(Principal.Operator, "a", harness.Adapter("a", 1));
        await store.PublishAsync(Principal.Operator, "b", harness.Adapter("b", 2));
        Assert.Equal([(0, "disk"), (0, "host"), (2, "resident")], Counts(harness.Engine));
        store.BudgetBytes = store.Get(Principal.Operator, "a").ResidentBytes;
        Assert.Equal([(0, "disk"), (1, "host"), (1, "resident")], Counts(harness.Engine));
        store.Unload(Principal.Operator, "a");
        store.Unload(Principal.Operator, "b");
        Assert.Equal([(0, "disk"), (0, "host"), (0, "resident")], Counts(harness.Engine));
    }

    private static List<(int Count, string Tier)> Counts(InferenceEngine engine)
    {
        List<(int, string)> counts = [];
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listening) =>
            {
                if (instrument.Name == EngineMetrics.AdapterCount && instrument.Meter.Scope == engine)
                {
                    listening.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<int>((_, count, tags, _) => counts.Add((count, (string)tags[0].Value!)));
        listener.Start();
        listener.RecordObservableInstruments();
        return counts;
    }
}
