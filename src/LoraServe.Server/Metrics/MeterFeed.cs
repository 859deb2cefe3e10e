using System.Diagnostics.Metrics;
using Prometheus;

namespace LoraServe.Server.Metrics;

/// <summary>Feeds a registry of prometheus-net from instruments of this process.</summary>
/// <remarks>
/// The package has an adapter for instruments too, but it renames them, makes gauges of counters and takes any number of series. The registry
/// is not the package's global one, so that several servers in a process have pages of their own.
/// </remarks>
internal sealed class MeterFeed : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly List<MetricFamily> _observed = [];

    /// <param name="isWanted">Which instruments it listens to.</param>
    /// <param name="spell">What a tag's value is called on the page.</param>
    public MeterFeed(Predicate<Instrument> isWanted, Func<object?, string> spell)
    {
        MetricFactory factory = Prometheus.Metrics.WithCustomRegistry(Registry);

        // An exemplar would be looked for, and made, on the thread that measures.
        factory.ExemplarBehavior = ExemplarBehavior.NoExemplars();
        DotNetStats.Register(Registry);
        Registry.AddBeforeCollectCallback(Observe);
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (isWanted(instrument))
            {
                var family = new MetricFamily(instrument, factory, spell);
                lock (_observed)
                {
                    if (instrument.IsObservable)
                    {
                        _observed.Add(family);
                    }
                }

                listener.EnableMeasurementEvents(instrument, family);
            }
        };
        _listener.SetMeasurementEventCallback<double>(static (_, value, tags, family) => ((MetricFamily)family!).Record(value, tags));
        _listener.SetMeasurementEventCallback<long>(static (_, value, tags, family) => ((MetricFamily)family!).Record(value, tags));
        _listener.SetMeasurementEventCallback<int>(static (_, value, tags, family) => ((MetricFamily)family!).Record(value, tags));
        _listener.Start();
    }

    /// <summary>What has been measured, and prometheus-net's metrics of the process.</summary>
    public CollectorRegistry Registry { get; } = Prometheus.Metrics.NewCustomRegistry();

    public void Dispose() => _listener.Dispose();

    /// <summary>Asks observable instruments for their values, before each page.</summary>
    private void Observe()
    {
        lock (_observed)
        {
            try
            {
                _listener.RecordObservableInstruments();
            }
            finally
            {
                _observed.ForEach(family => family.DropUnseen());
            }
        }
    }
}
