using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace LoraServe.Server.Metrics;

/// <summary>One instrument and its series, printed as Prometheus' text format 0.0.4 wants it.</summary>
internal sealed class MetricFamily
{
    /// <summary>Series beyond this many share one with the label <c>overflow="true"</c>, so that labels cannot use up the memory.</summary>
    private const int MaxSeries = 1_000;

    private const string Overflow = "overflow=\"true\"";

    private static readonly double[] s_defaultBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

    private readonly ConcurrentDictionary<string, MetricSeries> _series = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<int, MetricSeries> _byHash = new();
    private readonly Kind _kind;
    private readonly double[] _bounds;
    private readonly string _help;

    public MetricFamily(Instrument instrument)
    {
        _kind = KindOf(instrument);
        _bounds = _kind == Kind.Histogram ? BoundsOf(instrument) : [];
        _help = instrument.Description ?? instrument.Name;
        Name = MetricNames.Of(instrument.Name, instrument.Unit, isCounter: _kind is Kind.Counter or Kind.ObservedCounter);
    }

    private enum Kind
    {
        Counter,
        ObservedCounter,
        UpDown,
        Gauge,
        Histogram,
    }

    public string Name { get; }

    /// <summary>Notes a measurement. Instruments call this on the engine's thread, so a series that is known costs no allocation.</summary>
    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        int hash = Hash(tags);
        if (!_byHash.TryGetValue(hash, out MetricSeries? series) || !series.IsFor(tags))
        {
            series = FindByLabels(tags);
            if (series.IsFor(tags))
            {
                _byHash[hash] = series;
            }
        }

        series.Record(value);
    }

    public void Write(StringBuilder page)
    {
        if (_series.IsEmpty)
        {
            return;
        }

        string type = _kind switch
        {
            Kind.Counter or Kind.ObservedCounter => "counter",
            Kind.Histogram => "histogram",
            _ => "gauge",
        };
        page.Append("# HELP ").Append(Name).Append(' ').Append(MetricNames.EscapeHelp(_help)).Append('\n');
        page.Append("# TYPE ").Append(Name).Append(' ').Append(type).Append('\n');
        foreach (MetricSeries series in _series.Values.OrderBy(s => s.Labels, StringComparer.Ordinal))
        {
            MetricSeries.Snapshot values = series.Read();
            if (_kind == Kind.Histogram)
            {
                WriteHistogram(page, series.Labels, values);
            }
            else
            {
                // Observed instruments report their whole value at each collection; the others report changes.
                double value = _kind is Kind.Gauge or Kind.ObservedCounter ? values.Last : values.Sum;
                WriteSample(page, Name, series.Labels, Number(value));
            }
        }
    }

    private static int Hash(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var hash = new HashCode();
        foreach (KeyValuePair<string, object?> tag in tags)
        {
            hash.Add(tag.Key, StringComparer.Ordinal);
            hash.Add(tag.Value);
        }

        return hash.ToHashCode();
    }

    private static Kind KindOf(Instrument instrument)
    {
        Type type = instrument.GetType().GetGenericTypeDefinition();
        return type == typeof(Counter<>) ? Kind.Counter
            : type == typeof(ObservableCounter<>) ? Kind.ObservedCounter
            : type == typeof(UpDownCounter<>) ? Kind.UpDown
            : type == typeof(Histogram<>) ? Kind.Histogram
            : Kind.Gauge;
    }

    private static double[] BoundsOf(Instrument instrument)
    {
        IEnumerable<double>? advised = instrument switch
        {
            Histogram<double> histogram => histogram.Advice?.HistogramBucketBoundaries,
            Histogram<long> histogram => histogram.Advice?.HistogramBucketBoundaries?.Select(bound => (double)bound),
            Histogram<int> histogram => histogram.Advice?.HistogramBucketBoundaries?.Select(bound => (double)bound),
            _ => null,
        };
        return advised is null ? s_defaultBounds : [.. advised];
    }

    private static string Number(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };

    private static void WriteSample(StringBuilder page, string name, string labels, string value)
    {
        page.Append(name);
        if (labels.Length > 0)
        {
            page.Append('{').Append(labels).Append('}');
        }

        page.Append(' ').Append(value).Append('\n');
    }

    private MetricSeries FindByLabels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        string labels = MetricNames.Labels(tags);
        if (_series.TryGetValue(labels, out MetricSeries? series))
        {
            return series;
        }

        return _series.Count < MaxSeries
            ? _series.GetOrAdd(labels, new MetricSeries(labels, tags.ToArray(), _bounds))
            : _series.GetOrAdd(Overflow, static (name, bounds) => new MetricSeries(name, [], bounds), _bounds);
    }

    private void WriteHistogram(StringBuilder page, string labels, MetricSeries.Snapshot values)
    {
        string separator = labels.Length > 0 ? "," : "";
        long below = 0;
        for (int i = 0; i < values.Buckets.Length; i++)
        {
            below += values.Buckets[i];
            string bound = i < _bounds.Length ? Number(_bounds[i]) : "+Inf";
            WriteSample(page, $"{Name}_bucket", $"{labels}{separator}le=\"{bound}\"", below.ToString(CultureInfo.InvariantCulture));
        }

        WriteSample(page, $"{Name}_sum", labels, Number(values.Sum));
        WriteSample(page, $"{Name}_count", labels, values.Count.ToString(CultureInfo.InvariantCulture));
    }
}
