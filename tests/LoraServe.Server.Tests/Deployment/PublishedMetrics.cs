using System.Diagnostics.Metrics;
using LoraServe.Jobs.Tests;
using LoraServe.Server.Metrics;
using LoraServe.Serving.Metrics;

namespace LoraServe.Server.Tests.Deployment;

/// <summary>The instruments that an engine publishes, under the names that <c>/metrics</c> prints.</summary>
internal sealed class PublishedMetrics
{
    private PublishedMetrics(IReadOnlyList<Instrument> instruments)
    {
        InstrumentNames = [.. instruments.Select(instrument => instrument.Name)];
        Families = [.. instruments.Select(MetricFamily.NameOf)];
        SampleNames = [.. instruments.SelectMany(Samples)];
    }

    public HashSet<string> InstrumentNames { get; }

    /// <summary>One name for each instrument.</summary>
    public HashSet<string> Families { get; }

    /// <summary>All names that can stand in a query.</summary>
    public HashSet<string> SampleNames { get; }

    public static async Task<PublishedMetrics> OfAnEngineAsync()
    {
        List<Instrument> instruments = [];
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Name == EngineMetrics.MeterName)
                {
                    lock (instruments)
                    {
                        instruments.Add(instrument);
                    }
                }
            },
        };
        listener.Start();
        await using var small = new SmallEngine();
        lock (instruments)
        {
            return new PublishedMetrics([.. instruments.DistinctBy(instrument => instrument.Name)]);
        }
    }

    private static IEnumerable<string> Samples(Instrument instrument)
    {
        string name = MetricFamily.NameOf(instrument);
        return instrument.GetType().GetGenericTypeDefinition() == typeof(Histogram<>) ? [$"{name}_bucket", $"{name}_sum", $"{name}_count"] : [name];
    }
}
