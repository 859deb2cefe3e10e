using System.Diagnostics.Metrics;
using LoraServe.Server.Metrics;

namespace LoraServe.Server.Tests.Metrics;

public sealed class PrometheusPageTests : IDisposable
{
    private readonly Meter _meter = new("Tests.PrometheusPage");
    private readonly PrometheusPage _page = new("Tests.PrometheusPage");

    public void Dispose()
    {
        _page.Dispose();
        _meter.Dispose();
    }

    [Fact]
    public void Render_Counter_SumsAndNamesItTotal()
    {
        Counter<long> tokens = _meter.CreateCounter<long>("app.tokens", "{token}", "Tokens out.");
        tokens.Add(2, new KeyValuePair<string, object?>("adapter", "a\"b\\"));
        tokens.Add(3, new KeyValuePair<string, object?>("adapter", "a\"b\\"));

        Assert.Equal(
            "# HELP app_tokens_total Tokens out.\n# TYPE app_tokens_total counter\napp_tokens_total{adapter=\"a\\\"b\\\\\"} 5\n",
            _page.Render());
    }

    [Fact]
    public void Render_Histogram_CountsCumulativelyWithItsAdvisedBounds()
    {
        Histogram<double> wait = _meter.CreateHistogram("app.wait", "s", "Waiting.", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.1, 1] });
        wait.Record(0.1);
        wait.Record(0.5);
        wait.Record(7);

        Assert.Equal(
            "# HELP app_wait_seconds Waiting.\n# TYPE app_wait_seconds histogram\n" +
            "app_wait_seconds_bucket{le=\"0.1\"} 1\napp_wait_seconds_bucket{le=\"1\"} 2\napp_wait_seconds_bucket{le=\"+Inf\"} 3\n" +
            "app_wait_seconds_sum 7.6\napp_wait_seconds_count 3\n",
            _page.Render());
    }

    [Fact]
    public void Render_ObservedInstruments_ShowTheirLatestValue()
    {
        long bytes = 10;
        _meter.CreateObservableGauge("app.memory", () => bytes, "By");
        _meter.CreateObservableCounter("app.steps", () => bytes);
        _page.Render();
        bytes = 11;

        string page = _page.Render();

        Assert.Contains("\napp_memory_bytes 11\n", page, StringComparison.Ordinal);
        Assert.Contains("\napp_steps_total 11\n", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Render_MoreLabelsThanBounded_SharesAnOverflowSeries()
    {
        Counter<long> requests = _meter.CreateCounter<long>("app.requests");
        for (int i = 0; i < 1_500; i++)
        {
            requests.Add(1, new KeyValuePair<string, object?>("adapter", i));
        }

        string page = _page.Render();

        Assert.Contains("app_requests_total{overflow=\"true\"} 500\n", page, StringComparison.Ordinal);
        Assert.Equal(1_003, page.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public void Record_KnownSeries_AllocatesNothing()
    {
        Counter<long> tokens = _meter.CreateCounter<long>("app.out");
        var tag = new KeyValuePair<string, object?>("adapter", "support");
        tokens.Add(1, tag);
        long before = GC.GetAllocatedBytesForCurrentThread();

        for (int i = 0; i < 100; i++)
        {
            tokens.Add(1, tag);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Contains("app_out_total{adapter=\"support\"} 101\n", _page.Render(), StringComparison.Ordinal);
    }
}
