using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Prometheus;
using Tag = System.Collections.Generic.KeyValuePair<string, object?>;

namespace LoraServe.Server.Metrics;

/// <summary>One instrument and its series in a registry.</summary>
internal sealed class MetricFamily
{
    /// <summary>Series beyond this many share one with the label <c>overflow="true"</c>, so that labels cannot use up the memory.</summary>
    private const int MaxSeries = 1_000;

    private static readonly double[] s_defaultBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

    private readonly Lock _adding = new();
    private readonly ConcurrentDictionary<Tag[], MetricSeries> _series = new(TagComparer.Instance);
    private readonly ConcurrentDictionary<Tag[], MetricSeries>.AlternateLookup<ReadOnlySpan<Tag>> _seriesOfSpan;
    private readonly Func<string[], string[], MetricSeries> _create;
    private readonly Func<object?, string> _spell;
    private MetricSeries? _overflow;

    /// <param name="instrument">The instrument.</param>
    /// <param name="factory">Makes its series.</param>
    /// <param name="spell">What a tag's value is called on the page. Series that it calls the same are one there, which only counters and histograms can be.</param>
    public MetricFamily(Instrument instrument, IMetricFactory factory, Func<object?, string> spell)
    {
        _spell = spell;
        string name = NameOf(instrument);
        string help = instrument.Description ?? instrument.Name;
        _seriesOfSpan = _series.GetAlternateLookup<ReadOnlySpan<Tag>>();
        _create = Is(typeof(Histogram<>), instrument) ? CreateHistogram : IsCounter(instrument) ? CreateCounter : CreateGauge;

        MetricSeries CreateCounter(string[] names, string[] values)
        {
            Counter.Child counter = factory.CreateCounter(name, help, new CounterConfiguration { LabelNames = names, SuppressInitialValue = true }).WithLabels(values);

            // The registry throws at a counter that is lowered, which is no reason to stop who measures.
            return new MetricSeries(counter, instrument.IsObservable ? counter.IncTo : value => counter.Inc(Math.Max(0, value)));
        }

        MetricSeries CreateGauge(string[] names, string[] values)
        {
            Gauge.Child gauge = factory.CreateGauge(name, help, new GaugeConfiguration { LabelNames = names, SuppressInitialValue = true }).WithLabels(values);

            // Observable instruments report their whole value at each collection; what goes up and down reports changes.
            return new MetricSeries(gauge, Is(typeof(UpDownCounter<>), instrument) ? gauge.Inc : gauge.Set);
        }

        MetricSeries CreateHistogram(string[] names, string[] values)
        {
            var configuration = new HistogramConfiguration { LabelNames = names, SuppressInitialValue = true, Buckets = BoundsOf(instrument) };
            Histogram.Child histogram = factory.CreateHistogram(name, help, configuration).WithLabels(values);
            return new MetricSeries(histogram, histogram.Observe);
        }
    }

    /// <summary>An instrument's name on the page.</summary>
    public static string NameOf(Instrument instrument) => MetricNames.Of(instrument.Name, instrument.Unit, IsCounter(instrument));

    /// <summary>Notes a measurement. Instruments call this on the engine's thread, so a series that is known costs no allocation.</summary>
    public void Record(double value, ReadOnlySpan<Tag> tags)
    {
        if (!_seriesOfSpan.TryGetValue(tags, out MetricSeries? series))
        {
            series = Add(tags);
        }

        series.Record(value);
    }

    /// <summary>Takes the series from the page that have not been recorded since the last call. No measurement may come meanwhile.</summary>
    public void DropUnseen()
    {
        foreach ((Tag[] tags, MetricSeries series) in _series)
        {
            if (!series.TakeSeen())
            {
                series.Remove();
                _series.TryRemove(tags, out _);
            }
        }

        if (_overflow?.TakeSeen() == false)
        {
            _overflow.Remove();
            _overflow = null;
        }
    }

    private static bool IsCounter(Instrument instrument) => Is(typeof(Counter<>), instrument) || Is(typeof(ObservableCounter<>), instrument);

    private static bool Is(Type kind, Instrument instrument) => instrument.GetType().GetGenericTypeDefinition() == kind;

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

    private MetricSeries Add(ReadOnlySpan<Tag> tags)
    {
        lock (_adding)
        {
            if (_seriesOfSpan.TryGetValue(tags, out MetricSeries? series))
            {
                return series;
            }

            if (_series.Count == MaxSeries)
            {
                return _overflow ??= _create(["overflow"], ["true"]);
            }

            // In order of name, so that tags in another order are the same series to the registry.
            Tag[] sorted = tags.ToArray();
            Array.Sort(sorted, static (a, b) => string.CompareOrdinal(a.Key, b.Key));
            series = _create(Array.ConvertAll(sorted, tag => MetricNames.Identifier(tag.Key)), Array.ConvertAll(sorted, tag => _spell(tag.Value)));
            _seriesOfSpan[tags] = series;
            return series;
        }
    }
}
