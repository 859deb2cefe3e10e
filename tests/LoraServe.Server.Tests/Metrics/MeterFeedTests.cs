using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Text;
using LoraServe.Server.Metrics;
using Prometheus;

namespace LoraServe.Server.Tests.Metrics;

public sealed class MeterFeedTests : IDisposable
{
    private const string MeterName = "Tests.MeterFeed";

    private readonly Meter _meter;
    private readonly MeterFeed _feed;

    public MeterFeedTests()
    {
        _meter = new Meter(new MeterOptions(MeterName) { Scope = this });
        _feed = FeedOf(this);
    }

    public void Dispose()
    {
        _feed.Dispose();
        _meter.Dispose();
    }

    [Fact]
    public async Task Page_Counter_SumsAndIsNamedTotal()
    {
        Counter<long> tokens = _meter.CreateCounter<long>("app.tokens", "{token}", "Tokens out.");
        tokens.Add(2, Adapter("a\"b\\\n"));
        tokens.Add(3, Adapter("a\"b\\\n"));

        Assert.Equal(
            "# HELP app_tokens_total Tokens out.\n# TYPE app_tokens_total counter\napp_tokens_total{adapter=\"a\\\"b\\\\\\n\"} 5\n",
            await PageAsync());
    }

    [Fact]
    public async Task Page_CounterThatIsLowered_StaysAsItWas()
    {
        Counter<int> steps = _meter.CreateCounter<int>("app.steps");
        steps.Add(2);
        steps.Add(-1);

        Assert.Contains("\napp_steps_total 2\n", await PageAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Page_TagsInAnyOrder_AreOneSeriesWithLabelsByName()
    {
        Counter<long> requests = _meter.CreateCounter<long>("app.requests");
        requests.Add(1, new("outcome", "done"), Adapter("a"));
        requests.Add(1, Adapter("a"), new("outcome", "done"));

        Assert.EndsWith("\napp_requests_total{adapter=\"a\",outcome=\"done\"} 2\n", await PageAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Page_WhatGoesUpAndDown_IsAGaugeOfItsSum()
    {
        UpDownCounter<int> running = _meter.CreateUpDownCounter<int>("app.running");
        running.Add(5);
        running.Add(-2);

        Assert.Equal("# HELP app_running app.running\n# TYPE app_running gauge\napp_running 3\n", await PageAsync());
    }

    [Fact]
    public async Task Page_Histogram_CountsCumulativelyWithItsAdvisedBounds()
    {
        Histogram<double> wait = _meter.CreateHistogram("app.wait", "s", "Waiting.", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.1, 1] });
        wait.Record(0.1);
        wait.Record(0.5);
        wait.Record(7);

        Assert.Equal(
            "# HELP app_wait_seconds Waiting.\n# TYPE app_wait_seconds histogram\napp_wait_seconds_sum 7.6\napp_wait_seconds_count 3\n" +
            "app_wait_seconds_bucket{le=\"0.1\"} 1\napp_wait_seconds_bucket{le=\"1\"} 2\napp_wait_seconds_bucket{le=\"+Inf\"} 3\n",
            await PageAsync());
    }

    [Fact]
    public async Task Page_ObservedInstruments_ShowTheirLatestValue()
    {
        long bytes = 10;
        _meter.CreateObservableGauge("app.memory", () => bytes, "By");
        _meter.CreateObservableCounter("app.steps", () => bytes);
        await PageAsync();
        bytes = 11;

        string page = await PageAsync();

        Assert.Contains("\napp_memory_bytes 11\n", page, StringComparison.Ordinal);
        Assert.Contains("\napp_steps_total 11\n", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Page_SeriesThatIsNoLongerObserved_IsGoneAndComesBack()
    {
        List<Measurement<int>> tiers = [new(2, new KeyValuePair<string, object?>("tier", "disk")), new(1, new KeyValuePair<string, object?>("tier", "host"))];
        List<Measurement<int>> untagged = [new(4)];
        _meter.CreateObservableGauge("app.versions", () => tiers);
        _meter.CreateObservableUpDownCounter("app.jobs", () => untagged);
        string before = await PageAsync();
        (Measurement<int> disk, Measurement<int> job) = (tiers[0], untagged[0]);
        tiers.RemoveAt(0);
        untagged.Clear();
        string without = await PageAsync();
        tiers.Add(disk);
        untagged.Add(job);

        Assert.Equal(["app_jobs 4", "app_versions{tier=\"disk\"} 2", "app_versions{tier=\"host\"} 1"], Samples(before));
        Assert.Equal(["app_versions{tier=\"host\"} 1"], Samples(without));
        Assert.Equal(Samples(before), Samples(await PageAsync()));
    }

    [Fact]
    public async Task Page_InstrumentThatFails_TakesOnlyItsOwnSeriesAway()
    {
        bool fails = false;
        _meter.CreateObservableGauge("app.broken", () => fails ? throw new InvalidOperationException() : 1);
        _meter.CreateObservableGauge("app.sound", () => 1);
        string before = await PageAsync();
        fails = true;

        Assert.Equal(["app_broken 1", "app_sound 1"], Samples(before));
        Assert.Equal(["app_sound 1"], Samples(await PageAsync()));
    }

    [Fact]
    public async Task Page_MoreSeriesThanBounded_SharesAnOverflowSeries()
    {
        Counter<long> requests = _meter.CreateCounter<long>("app.requests");
        for (int i = 0; i < 1_500; i++)
        {
            requests.Add(1, new KeyValuePair<string, object?>("adapter", i));
        }

        string page = await PageAsync();

        Assert.Contains("app_requests_total{overflow=\"true\"} 500\n", page, StringComparison.Ordinal);
        Assert.Equal(1_001, Samples(page).Length);
    }

    [Fact]
    public async Task Page_ObservedSeriesThatWent_LeaveTheirRoomToOthers()
    {
        int first = 0;
        _meter.CreateObservableGauge("app.adapters", () => Enumerable.Range(first, 1_500).Select(i => new Measurement<int>(1, new KeyValuePair<string, object?>("name", i))));
        await PageAsync();
        first = 2_000;
        Assert.Equal(["app_adapters{overflow=\"true\"} 1"], Samples(await PageAsync()));

        string[] samples = Samples(await PageAsync());

        Assert.Equal(1_001, samples.Length);
        Assert.Contains("app_adapters{name=\"2000\"} 1", samples);
        Assert.Contains("app_adapters{overflow=\"true\"} 1", samples);
    }

    [Fact]
    public async Task Page_OfOneFeed_HasNothingOfAnothers()
    {
        var other = new object();
        using var meter = new Meter(new MeterOptions(MeterName) { Scope = other });
        using MeterFeed feed = FeedOf(other);
        _meter.CreateCounter<int>("app.mine").Add(1);
        meter.CreateCounter<int>("app.mine").Add(10);

        Assert.EndsWith("app_mine_total 1\n", await PageAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Page_HasTheProcessBesideTheInstruments()
    {
        string page = await TextAsync(ExpositionFormat.PrometheusText);

        Assert.Contains("\nprocess_cpu_seconds_total ", page, StringComparison.Ordinal);
        Assert.Contains("\nprocess_working_set_bytes ", page, StringComparison.Ordinal);
        Assert.Contains("\ndotnet_collection_count_total{generation=\"2\"} ", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Record_KnownSeries_AllocatesNothing()
    {
        Counter<long> requests = _meter.CreateCounter<long>("app.requests");
        Counter<long> steps = _meter.CreateCounter<long>("app.steps");
        Histogram<double> load = _meter.CreateHistogram<double>("app.load", "s");
        Histogram<int> rows = _meter.CreateHistogram<int>("app.rows");
        Counter<long> crowded = _meter.CreateCounter<long>("app.crowded");
        for (int i = 0; i <= 1_000; i++)
        {
            crowded.Add(1, new KeyValuePair<string, object?>("adapter", i));
        }

        // The package would look for an exemplar in what is traced.
        using Activity traced = new Activity("request").SetIdFormat(ActivityIdFormat.W3C).Start();
        KeyValuePair<string, object?> adapter = Adapter("support");
        KeyValuePair<string, object?> outcome = new("outcome", "completed");
        Record();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1_000; i++)
        {
            Record();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Record()
        {
            requests.Add(1, outcome, adapter);
            steps.Add(1);
            load.Record(0.25, adapter);
            rows.Record(3);
            crowded.Add(1, adapter);
        }
    }

    [Fact]
    public async Task Record_FromManyThreadsDuringScrapes_LosesNothing()
    {
        const int Threads = 4;
        const int Measurements = 20_000;
        Counter<long> tokens = _meter.CreateCounter<long>("app.tokens");
        Histogram<int> rows = _meter.CreateHistogram<int>("app.rows");
        int observed = 0;
        _meter.CreateObservableGauge("app.queue", () => new Measurement<int>(1, new KeyValuePair<string, object?>("turn", observed++ % 3)));
        Task[] recorders = [.. Enumerable.Range(0, Threads).Select(thread => Task.Run(() =>
        {
            for (int i = 0; i < Measurements; i++)
            {
                tokens.Add(1, new KeyValuePair<string, object?>("adapter", (i + thread) % 50));
                rows.Record(i % 100);
            }
        }))];
        Task scraped = Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Run(async () =>
        {
            do
            {
                // A series that another scrape is about to drop may still be there.
                Assert.InRange(Samples(await PageAsync()).Count(sample => sample.StartsWith("app_queue", StringComparison.Ordinal)), 1, 2);
            }
            while (!Array.TrueForAll(recorders, recorder => recorder.IsCompleted));
        })));
        await Task.WhenAll(recorders);
        await scraped;

        string[] samples = Samples(await PageAsync());

        string[] counts = [.. samples.Where(sample => sample.StartsWith("app_tokens_total{", StringComparison.Ordinal))];
        Assert.Equal(50, counts.Length);
        Assert.All(counts, sample => Assert.EndsWith($"}} {Threads * Measurements / 50}", sample, StringComparison.Ordinal));
        Assert.Contains($"app_rows_count {Threads * Measurements}", samples);
    }

    private static MeterFeed FeedOf(object scope) => new(instrument => instrument.Meter.Name == MeterName && instrument.Meter.Scope == scope, MetricNames.Value);

    private static KeyValuePair<string, object?> Adapter(string name) => new("adapter", name);

    private static string[] Samples(string page) =>
        [.. page.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line[0] != '#').Order(StringComparer.Ordinal)];

    /// <summary>The page without what it says of the process.</summary>
    private async Task<string> PageAsync()
    {
        string[] lines = (await TextAsync(ExpositionFormat.PrometheusText)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return string.Concat(lines.Where(line => line.Contains("app_", StringComparison.Ordinal)).Select(line => $"{line}\n"));
    }

    private async Task<string> TextAsync(ExpositionFormat format)
    {
        using var page = new MemoryStream();
        await _feed.Registry.CollectAndExportAsTextAsync(page, format);
        return Encoding.UTF8.GetString(page.ToArray());
    }
}
