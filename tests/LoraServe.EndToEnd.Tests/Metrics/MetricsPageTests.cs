using System.Diagnostics;
using System.Reflection;
using System.Text.RegularExpressions;
using Grpc.Core;
using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.Serving.Metrics;
using LoraServe.Serving.Requests;
using LoraServe.V1;

namespace LoraServe.EndToEnd.Tests.Metrics;

/// <summary>The page that Prometheus reads.</summary>
public class MetricsPageTests
{
    private const string Promtool = "/usr/bin/promtool";

    /// <summary>Instruments of what cannot be brought about from outside.</summary>
    private static readonly string[] s_notBroughtAbout = [EngineMetrics.StepFailures];

    [SkippableFact]
    public async Task Page_OfABusyServer_IsWhatPromtoolWants()
    {
        await using TestServer server = await BusyServerAsync();
        string page = await PageAsync(server);

        (int code, string complaints) = await PromtoolAsync(["check", "metrics"], page);

        Assert.True(code == 0 && complaints.Length == 0, complaints);
    }

    /// <summary><c>promtool check metrics</c> knows only the older format; what makes blocks of a page reads it as Prometheus reads a scrape, but for the times.</summary>
    [SkippableFact]
    public async Task Page_InOpenMetrics_IsWhatPrometheusReads()
    {
        await using TestServer server = await BusyServerAsync();
        string page = await PageAsync(server, accept: "application/openmetrics-text; version=1.0.0; charset=utf-8");
        Assert.Contains("# TYPE loraserve_engine_requests counter\n", page, StringComparison.Ordinal);
        Assert.Contains("# TYPE loraserve_engine_step_rows histogram\n", page, StringComparison.Ordinal);
        Assert.EndsWith("# EOF\n", page, StringComparison.Ordinal);
        using var folder = new TemporaryFolder();
        string timed = folder.At("page");
        await File.WriteAllTextAsync(timed, Regex.Replace(page, "^(?!#).+$", "$& 1600000000", RegexOptions.Multiline));

        (int code, string complaints) = await PromtoolAsync(["tsdb", "create-blocks-from", "openmetrics", timed, folder.At("blocks")]);

        Assert.True(code == 0, complaints);
    }

    [Fact]
    public async Task Page_AfterTheLastUnload_CountsNoVersions()
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        await server.LoadAsync(("a", 1));
        string loaded = await PageAsync(server);
        await server.Client.Adapters.UnloadAsync(new UnloadAdapterRequest { Name = "a" });

        string unloaded = await PageAsync(server);

        Assert.Matches("loraserve_adapters_versions{tier=\"[a-z]+\"} 1\n", loaded);
        Assert.All(["disk", "host", "resident"], tier => Assert.Contains($"loraserve_adapters_versions{{tier=\"{tier}\"}} 0\n", unloaded, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Page_OfABusyServer_HasEveryInstrument()
    {
        await using TestServer server = await BusyServerAsync();
        string page = await PageAsync(server);
        IEnumerable<string> names = typeof(EngineMetrics).GetFields(BindingFlags.Public | BindingFlags.Static)
            .Where(field => field.Name != nameof(EngineMetrics.MeterName))
            .Select(field => (string)field.GetRawConstantValue()!)
            .Except(s_notBroughtAbout);
        Assert.All(names, name => Assert.Matches(new Regex($"^# TYPE {name.Replace('.', '_')}(_seconds|_bytes)?(_total)? ", RegexOptions.Multiline), page));
        Assert.Matches("loraserve_engine_requests_total{adapter=\"a\",outcome=\"[a-z_]+\"} 5\n", page);
    }

    /// <summary>A server that has answered, preempted, evicted and failed to load.</summary>
    private static async Task<TestServer> BusyServerAsync()
    {
        TestServer server = await TestServer.StartTinyAsync(options =>
        {
            options.KvCacheBytes = 32 << 10;
            options.HostAdapterBytes = 0;
        });
        server.Log.Expect("lost could not be loaded");
        await server.LoadAsync(("a", 1), ("b", 2), ("lost", 3));
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => server.AskAsync(Ask.For(i % 2 == 0 ? "a" : "b", seed: i / 4, tokens: 60))));
        server.Engine.Adapters.BudgetBytes = server.Engine.Adapters.Get(Principal.Operator, "a").ResidentBytes;

        // Either may still be resident; after both, one has been loaded again.
        await server.AskAsync(Ask.For("b"));
        await server.AskAsync(Ask.For("a"));
        Directory.Delete(Path.Combine(server.AdapterRoot, "lost"), recursive: true);
        await Refused.WithAsync(StatusCode.Unavailable, server.Client.Inference.GenerateAsync(Ask.For("lost")), "lost");
        await server.IdleAsync();
        return server;
    }

    private static async Task<string> PageAsync(TestServer server, string? accept = null)
    {
        using var http = new HttpClient();
        http.DefaultRequestHeaders.TryAddWithoutValidation("accept", accept);
        return await http.GetStringAsync(new Uri(server.Host.HttpAddress, "metrics"));
    }

    private static async Task<(int Code, string Output)> PromtoolAsync(string[] arguments, string input = "")
    {
        Skip.IfNot(File.Exists(Promtool), "promtool is not installed; run tests/peers/install.sh.");
        using var process = Process.Start(new ProcessStartInfo(Promtool, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        string output = await process.StandardOutput.ReadToEndAsync() + await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output);
    }
}
