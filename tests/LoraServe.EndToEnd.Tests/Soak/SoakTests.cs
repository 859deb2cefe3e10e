using System.Diagnostics;
using System.Globalization;
using LoraServe.Compute.Memory;
using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.Serving.Requests;
using Xunit.Abstractions;

namespace LoraServe.EndToEnd.Tests.Soak;

/// <summary>Hours of an ordinary server in minutes: everything that callers do, at random, and nothing left of it in the end.</summary>
public class SoakTests(ITestOutputHelper output)
{
    private const int Callers = 8;
    private const int HandlesInPassing = 16;

    // Scratch doubles when a step comes that is larger than all before.
    private const long ScratchGrowth = 4 << 20;

    /// <summary>LORASERVE_SOAK_SECONDS; ten minutes by default.</summary>
    private static readonly TimeSpan s_duration = TimeSpan.FromSeconds(
        double.Parse(Environment.GetEnvironmentVariable("LORASERVE_SOAK_SECONDS") ?? "600", CultureInfo.InvariantCulture));

    [Fact]
    [Trait("Category", "Long")]
    public async Task Soak_LoadingUnloadingCancellingFailing_LeavesNothing()
    {
        await using TestServer server = await TestServer.StartTinyAsync(options =>
        {
            options.MaxQueuedRequests = 6;
            options.MaxRunningSequences = 16;
            options.KvCacheBytes = 512 << 10;
            options.MaxAdapterWait = TimeSpan.FromMilliseconds(50);
        });
        server.Log.Allow("could not be loaded"); // pinned and larger than the budget, now and then
        KnownContents known = await KnownContents.LearnAsync(server, count: 6);
        await RunAsync(server, known, s_duration / 20); // caches, pools and connections grow with the first use
        long native = Resources.NativeBytes();
        long scratch = NativeBuffer.ScratchBytes;
        int handles = Resources.OpenHandles();

        SoakCounts counts = await RunAsync(server, known, s_duration);

        output.WriteLine(counts.ToString());
        output.WriteLine($"native memory {native} → {Resources.NativeBytes()} bytes, handles {handles} → {Resources.OpenHandles()}");
        Assert.InRange(NativeBuffer.ScratchBytes, 0, scratch + ScratchGrowth);
        await Eventually.TrueAsync(() => Resources.NativeBytes() <= native, () => $"{Resources.NativeBytes() - native} bytes of native memory are lost");
        await Eventually.TrueAsync(() => Resources.OpenHandles() <= handles + HandlesInPassing, () => $"{Resources.OpenHandles() - handles} handles are lost");
        Assert.Empty(counts.Faults);
        Assert.True(counts.Answered > 0 && counts.Refused > 0 && counts.Abandoned > 0, counts.ToString());
    }

    /// <summary>Lets callers do as they like, then takes everything out of service and waits until nothing is held.</summary>
    private static async Task<SoakCounts> RunAsync(TestServer server, KnownContents known, TimeSpan duration)
    {
        var counts = new SoakCounts();
        long completed = await CompletedAsync(server);
        long begun = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(seed => Task.Run(async () =>
        {
            var caller = new SoakCaller(server, known, counts, new Random(seed));
            while (Stopwatch.GetElapsedTime(begun) < duration)
            {
                await caller.DoSomethingAsync();
            }
        })));
        server.Engine.Adapters.BudgetBytes = 1 << 30;
        foreach (string name in server.Engine.Adapters.List(Principal.Operator).Select(adapter => adapter.Name).Distinct())
        {
            server.Engine.Adapters.Unload(Principal.Operator, name, deleteFiles: true);
        }

        await server.IdleAsync();
        Assert.Equal(0, server.Engine.Adapters.ResidentBytes);
        Assert.Equal(0, server.Engine.Adapters.HostBytes);
        Assert.Empty(server.Engine.Adapters.Aliases);
        foreach (string folder in new[] { "uploads", "adapters" })
        {
            string path = Path.Combine(server.StoreFolder, folder);
            await Eventually.TrueAsync(() => !Directory.Exists(path) || Directory.GetDirectories(path).Length == 0, () => $"files are left in {path}");
        }

        // An abandoned request may have been complete before it was abandoned.
        completed = await CompletedAsync(server) - completed;
        Assert.InRange(completed, counts.Answered, counts.Answered + counts.Abandoned);
        return counts;
    }

    /// <summary>Requests that the engine says it completed.</summary>
    private static async Task<long> CompletedAsync(TestServer server)
    {
        using var http = new HttpClient();
        string page = await http.GetStringAsync(new Uri(server.Host.HttpAddress, "metrics"));
        return page.Split('\n')
            .Where(line => line.StartsWith("loraserve_engine_requests_total{", StringComparison.Ordinal) && line.Contains("outcome=\"completed\"", StringComparison.Ordinal))
            .Sum(line => long.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
    }
}
