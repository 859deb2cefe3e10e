using System.Diagnostics.Metrics;
using LoraServe.Serving.Store.Versions;

namespace LoraServe.Serving.Metrics;

/// <summary>The engine's instruments. Their names are in <see cref="EngineMetrics"/>.</summary>
internal sealed class EngineInstruments : IDisposable
{
    private const int MaxAdapterLabels = 100;

    private static readonly AdapterLabel s_otherAdapters = new("other", IsOwned: false);

    private static readonly double[] s_latencies = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60];
    private static readonly double[] s_tokenTimes = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];
    private static readonly double[] s_rows = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048];

    private readonly Meter _meter;
    private readonly HashSet<AdapterLabel> _adapterLabels = [];
    private readonly Counter<long> _requests;
    private readonly Counter<long> _promptTokens;
    private readonly Counter<long> _generatedTokens;
    private readonly Counter<long> _prefixHitTokens;
    private readonly Histogram<double> _timeToFirstToken;
    private readonly Histogram<double> _timePerOutputToken;
    private readonly Histogram<double> _queueDuration;
    private readonly Histogram<double> _stepDuration;
    private readonly Histogram<int> _stepRows;
    private readonly Counter<long> _stepFailures;
    private readonly Counter<long> _preemptions;
    private readonly Counter<long> _adapterLoads;
    private readonly Histogram<double> _adapterLoadDuration;
    private readonly Counter<long> _adapterLoadFailures;
    private readonly Counter<long> _adapterEvictions;
    private readonly Counter<long> _adapterHits;

    /// <param name="engine">Whose they are: what tells several engines of a process apart.</param>
    public EngineInstruments(object engine)
    {
        _meter = new Meter(new MeterOptions(EngineMetrics.MeterName) { Scope = engine });
        _requests = _meter.CreateCounter<long>(EngineMetrics.Requests, "{request}", "Requests that ended.");
        _promptTokens = _meter.CreateCounter<long>(EngineMetrics.PromptTokens, "{token}", "Prompt tokens of requests that began to run.");
        _generatedTokens = _meter.CreateCounter<long>(EngineMetrics.GeneratedTokens, "{token}", "Tokens generated.");
        _prefixHitTokens = _meter.CreateCounter<long>(EngineMetrics.PrefixHitTokens, "{token}", "Prompt tokens found in the prefix cache.");
        _timeToFirstToken = Histogram(EngineMetrics.TimeToFirstToken, "Time from a request's arrival to its first token.", s_latencies);
        _timePerOutputToken = Histogram(EngineMetrics.TimePerOutputToken, "Time per token after the first.", s_tokenTimes);
        _queueDuration = Histogram(EngineMetrics.QueueDuration, "Time that requests waited before they ran.", s_latencies);
        _stepDuration = Histogram(EngineMetrics.StepDuration, "Time of one step.", s_tokenTimes);
        _stepRows = _meter.CreateHistogram(EngineMetrics.StepRows, "{row}", "Token rows of one step.", advice: new InstrumentAdvice<int> { HistogramBucketBoundaries = Array.ConvertAll(s_rows, row => (int)row) });
        _stepFailures = _meter.CreateCounter<long>(EngineMetrics.StepFailures, "{step}", "Steps that failed.");
        _preemptions = _meter.CreateCounter<long>(EngineMetrics.Preemptions, "{sequence}", "Sequences that lost their pages and are computed again.");
        _adapterLoads = _meter.CreateCounter<long>(EngineMetrics.AdapterLoads, "{load}", "Adapters that became resident for requests.");
        _adapterLoadDuration = Histogram(EngineMetrics.AdapterLoadDuration, "Time to make an adapter resident.", s_latencies);
        _adapterLoadFailures = _meter.CreateCounter<long>(EngineMetrics.AdapterLoadFailures, "{load}", "Loads that failed.");
        _adapterEvictions = _meter.CreateCounter<long>(EngineMetrics.AdapterEvictions, "{eviction}", "Resident adapters dropped to make room.");
        _adapterHits = _meter.CreateCounter<long>(EngineMetrics.AdapterHits, "{use}", "Requests' uses of adapters.");
    }

    /// <summary>Where gauges are added, once there is what they show.</summary>
    public Meter Meter => _meter;

    public void Dispose() => _meter.Dispose();

    /// <summary>The label of a request's adapters. The first hundred names have their own; a stack is named as a whole.</summary>
    public AdapterLabel LabelOf(AdapterStack stack)
    {
        var label = new AdapterLabel(string.Join('+', stack.Served.Select(adapter => adapter.Name)), stack.IsOwned);
        lock (_adapterLabels)
        {
            return _adapterLabels.Contains(label) || (_adapterLabels.Count < MaxAdapterLabels && _adapterLabels.Add(label)) ? label : s_otherAdapters;
        }
    }

    public void Began(AdapterLabel adapters, int promptTokens, int cachedTokens, double waitedSeconds)
    {
        _queueDuration.Record(waitedSeconds);
        _promptTokens.Add(promptTokens, Adapter(adapters));
        _prefixHitTokens.Add(cachedTokens);
    }

    public void Ended(AdapterLabel adapters, string outcome) => _requests.Add(1, new("outcome", outcome), Adapter(adapters));

    public void FirstToken(double seconds) => _timeToFirstToken.Record(seconds);

    public void Generated(AdapterLabel adapters) => _generatedTokens.Add(1, Adapter(adapters));

    public void Answered(double seconds, int tokensAfterFirst)
    {
        if (tokensAfterFirst > 0)
        {
            _timePerOutputToken.Record(seconds / tokensAfterFirst);
        }
    }

    public void Stepped(double seconds, int rows)
    {
        _stepDuration.Record(seconds);
        _stepRows.Record(rows);
    }

    public void StepFailed() => _stepFailures.Add(1);

    public void Preempted(long count)
    {
        if (count > 0)
        {
            _preemptions.Add(count);
        }
    }

    public void AdapterLoaded(AdapterTier from, double seconds)
    {
        _adapterLoads.Add(1, Tier(from));
        _adapterLoadDuration.Record(seconds, Tier(from));
    }

    public void AdapterUsed(AdapterTier tier) => _adapterHits.Add(1, Tier(tier));

    public void AdapterEvicted() => _adapterEvictions.Add(1);

    public void AdapterLoadFailed() => _adapterLoadFailures.Add(1);

    /// <summary>The tag of a tier.</summary>
    public static KeyValuePair<string, object?> Tier(AdapterTier tier) => new("tier", Name(tier));

    private static KeyValuePair<string, object?> Adapter(AdapterLabel adapters) => new("adapter", adapters);

    private static string Name(AdapterTier tier) => tier switch
    {
        AdapterTier.Disk => "disk",
        AdapterTier.Host => "host",
        _ => "resident",
    };

    private Histogram<double> Histogram(string name, string description, double[] boundaries) =>
        _meter.CreateHistogram(name, "s", description, advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = boundaries });
}
