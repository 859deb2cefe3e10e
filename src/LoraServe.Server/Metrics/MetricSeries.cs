namespace LoraServe.Server.Metrics;

/// <summary>What has been measured for one instrument and one set of labels.</summary>
internal sealed class MetricSeries(string labels, KeyValuePair<string, object?>[] tags, double[] bounds)
{
    private readonly Lock _lock = new();
    private readonly long[] _buckets = new long[bounds.Length + 1];
    private double _sum;
    private long _count;
    private double _last;

    /// <summary>The labels as they are printed, without braces; empty for none.</summary>
    public string Labels { get; } = labels;

    /// <summary>Whether these are the tags, in the same order, that this series was made for.</summary>
    public bool IsFor(ReadOnlySpan<KeyValuePair<string, object?>> others)
    {
        if (others.Length != tags.Length)
        {
            return false;
        }

        for (int i = 0; i < tags.Length; i++)
        {
            if (tags[i].Key != others[i].Key || !Equals(tags[i].Value, others[i].Value))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Adds one measurement: counters sum up, gauges keep the last, histograms count it in its bucket.</summary>
    public void Record(double value)
    {
        lock (_lock)
        {
            _last = value;
            _sum += value;
            _count++;
            int bucket = Array.BinarySearch(bounds, value);
            _buckets[bucket >= 0 ? bucket : ~bucket]++;
        }
    }

    /// <summary>A consistent copy for one page.</summary>
    public Snapshot Read()
    {
        lock (_lock)
        {
            return new Snapshot(_last, _sum, _count, [.. _buckets]);
        }
    }

    /// <param name="Last">The latest measurement.</param>
    /// <param name="Sum">Sum of all measurements.</param>
    /// <param name="Count">Number of measurements.</param>
    /// <param name="Buckets">Measurements per bucket (not cumulative); the last is above every bound.</param>
    internal readonly record struct Snapshot(double Last, double Sum, long Count, long[] Buckets);
}
