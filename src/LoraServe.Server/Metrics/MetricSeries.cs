using Prometheus;

namespace LoraServe.Server.Metrics;

/// <summary>One series of a registry, and how a measurement is recorded in it.</summary>
internal sealed class MetricSeries(ChildBase child, Action<double> record)
{
    private bool _isSeen;

    public void Record(double value)
    {
        record(value);
        _isSeen = true;
    }

    /// <summary>Whether it has been recorded since the last call.</summary>
    public bool TakeSeen()
    {
        bool isSeen = _isSeen;
        _isSeen = false;
        return isSeen;
    }

    /// <summary>Takes it from the page.</summary>
    public void Remove() => child.Remove();
}
