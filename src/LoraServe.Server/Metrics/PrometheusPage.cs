using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text;

namespace LoraServe.Server.Metrics;

/// <summary>Listens to the process's own meters and prints them as a Prometheus page (text format 0.0.4).</summary>
/// <remarks>Stands in for OpenTelemetry's Prometheus exporter; the instruments do not know of it.</remarks>
internal sealed class PrometheusPage : IDisposable
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly ConcurrentDictionary<string, MetricFamily> _families = new(StringComparer.Ordinal);
    private readonly MeterListener _listener = new();

    /// <param name="meterPrefix">Meters whose names begin so are listened to.</param>
    public PrometheusPage(string meterPrefix)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name.StartsWith(meterPrefix, StringComparison.Ordinal))
            {
                var family = new MetricFamily(instrument);
                listener.EnableMeasurementEvents(instrument, _families.GetOrAdd(family.Name, family));
            }
        };
        _listener.SetMeasurementEventCallback<double>(static (_, value, tags, family) => ((MetricFamily)family!).Record(value, tags));
        _listener.SetMeasurementEventCallback<long>(static (_, value, tags, family) => ((MetricFamily)family!).Record(value, tags));
        _listener.SetMeasurementEventCallback<int>(static (_, value, tags, family) => ((MetricFamily)family!).Record(value, tags));
        _listener.Start();
    }

    /// <summary>The page as of now.</summary>
    public string Render()
    {
        _listener.RecordObservableInstruments();
        var page = new StringBuilder();
        foreach (MetricFamily family in _families.Values.OrderBy(family => family.Name, StringComparer.Ordinal))
        {
            family.Write(page);
        }

        return page.ToString();
    }

    public void Dispose() => _listener.Dispose();
}
