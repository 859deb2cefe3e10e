using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using LoraServe.Serving.Metrics;
using LoraServe.Testing;

namespace LoraServe.Server.Tests.Deployment;

/// <summary>The dashboard and the rules speak of metrics that there are.</summary>
public sealed partial class MetricUseTests
{
    private static readonly string s_deploy = Path.Combine(Repository.Root, "deploy");
    private static readonly string s_dashboard = File.ReadAllText(Path.Combine(s_deploy, "grafana", "dashboards", "loraserve.json"));
    private static readonly string s_rules = File.ReadAllText(Path.Combine(s_deploy, "prometheus", "rules.yml"));

    [Fact]
    public async Task EngineMetrics_NameEveryInstrument()
    {
        IEnumerable<string> constants = typeof(EngineMetrics).GetFields(BindingFlags.Public | BindingFlags.Static)
            .Where(field => field.Name != nameof(EngineMetrics.MeterName)).Select(field => (string)field.GetRawConstantValue()!);

        Assert.Equal(constants.Order(StringComparer.Ordinal), (await PublishedMetrics.OfAnEngineAsync()).InstrumentNames.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task DashboardAndRules_UseOnlyMetricsThatExist()
    {
        PublishedMetrics published = await PublishedMetrics.OfAnEngineAsync();

        Assert.All(Names(s_dashboard).Concat(Names(s_rules)), name => Assert.Contains(name, published.SampleNames));
    }

    [Fact]
    public async Task Dashboard_ShowsEveryMetric()
    {
        PublishedMetrics published = await PublishedMetrics.OfAnEngineAsync();
        string[] shown = [.. Names(s_dashboard)];

        Assert.All(published.Families, family => Assert.Contains(shown, name => name.StartsWith(family, StringComparison.Ordinal)));
    }

    [Fact]
    public void Dashboard_PanelsHaveQueriesTitlesAndPlaces()
    {
        using JsonDocument dashboard = JsonDocument.Parse(s_dashboard);
        JsonElement[] panels = [.. dashboard.RootElement.GetProperty("panels").EnumerateArray()];
        var taken = new HashSet<(int, int)>();

        Assert.Equal(panels.Length, panels.Select(panel => panel.GetProperty("id").GetInt32()).Distinct().Count());
        Assert.All(panels, panel =>
        {
            Assert.NotEmpty(panel.GetProperty("title").GetString()!);
            Assert.True(panel.GetProperty("type").GetString() == "row" || panel.GetProperty("targets").GetArrayLength() > 0);
            JsonElement place = panel.GetProperty("gridPos");
            (int x, int y, int width, int height) = (Number(place, "x"), Number(place, "y"), Number(place, "w"), Number(place, "h"));
            Assert.InRange(x + width, 1, 24);
            Assert.All(
                from column in Enumerable.Range(x, width)
                from row in Enumerable.Range(y, height)
                select (column, row),
                cell => Assert.True(taken.Add(cell), $"{panel.GetProperty("title")} covers another panel."));
        });

        static int Number(JsonElement place, string name) => place.GetProperty(name).GetInt32();
    }

    [Fact]
    public void Rules_UseOnlySeriesThatTheyRecord()
    {
        HashSet<string> recorded = [.. Recorded().Matches(s_rules).Select(match => match.Groups["name"].Value)];

        Assert.NotEmpty(recorded);
        Assert.All(Series().Matches(s_rules), series => Assert.Contains(series.Value, recorded));
    }

    private static IEnumerable<string> Names(string text) => Metric().Matches(text).Select(match => match.Value).Distinct();

    [GeneratedRegex(@"\bloraserve_\w+")]
    private static partial Regex Metric();

    [GeneratedRegex(@"\bloraserve:[\w:]+\b(?!\d)")]
    private static partial Regex Series();

    [GeneratedRegex(@"record: (?<name>[\w:]+)")]
    private static partial Regex Recorded();
}
