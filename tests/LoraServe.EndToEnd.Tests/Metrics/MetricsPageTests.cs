using System.Diagnostics;
using System.Reflection;
using System.Text.RegularExpressions;
using Grpc.Core;
using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.Serving;

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
        Skip.IfNot(File.Exists(Promtool), "promtool is not installed; run tests/peers/install.sh.");
        using var check = Process.Start(new ProcessStartInfo(Promtool, ["check", "metrics"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        await check.StandardInput.WriteAsync(await BusyPageAsync());
        check.StandardInput.Close();
        string complaints = await check.StandardOutput.ReadToEndAsync() + await check.StandardError.ReadToEndAsync();
        await check.WaitForExitAsync();
        Assert.True(check.ExitCode == 0 && complaints.Length == 0, complaints);
    }

    [Fact]
    public async Task Page_OfABusyServer_HasEveryInstrument()
    {
        string page = await BusyPageAsync();
        IEnumerable<string> names = typeof(EngineMetrics).GetFields(BindingFlags.Public | BindingFlags.Static)
            .Where(field => field.Name != nameof(EngineMetrics.MeterName))
            .Select(field => (string)field.GetRawConstantValue()!)
            .Except(s_notBroughtAbout);
        Assert.All(names, name => Assert.Matches(new Regex($"^# TYPE {name.Replace('.', '_')}(_seconds|_bytes)?(_total)? ", RegexOptions.Multiline), page));
        Assert.Matches("loraserve_engine_requests_total{adapter=\"a\",outcome=\"[a-z_]+\"} 5\n", page);
    }

    /// <summary>The page of a server that has answered, preempted, evicted and failed to load.</summary>
    private static async Task<string> BusyPageAsync()
    {
        await using TestServer server = await TestServer.StartTinyAsync(options =>
        {
            options.KvCacheBytes = 32 << 10;
            options.HostAdapterBytes = 0;
        });
        await server.LoadAsync(("a", 1), ("b", 2), ("lost", 3));
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => server.AskAsync(Ask.For(i % 2 == 0 ? "a" : "b", seed: i / 4, tokens: 60))));
        server.Engine.Adapters.BudgetBytes = server.Engine.Adapters.Get("a").ResidentBytes;

        // Either may still be resident; after both, one has been loaded again.
        await server.AskAsync(Ask.For("b"));
        await server.AskAsync(Ask.For("a"));
        Directory.Delete(Path.Combine(server.AdapterRoot, "lost"), recursive: true);
        await Refused.WithAsync(StatusCode.Unavailable, server.Client.Inference.GenerateAsync(Ask.For("lost")), "lost");
        await server.IdleAsync();
        using var http = new HttpClient();
        return await http.GetStringAsync(new Uri(server.Host.HttpAddress, "metrics"));
    }
}
