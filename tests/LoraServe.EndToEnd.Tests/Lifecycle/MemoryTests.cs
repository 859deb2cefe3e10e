using System.Diagnostics;
using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.Serving.Requests;
using LoraServe.V1;
using Xunit.Abstractions;

namespace LoraServe.EndToEnd.Tests.Lifecycle;

/// <summary>Memory of adapters: that it comes back, and what happens when there is less than the work needs.</summary>
public class MemoryTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Unload_AfterUse_GivesMemoryBack()
    {
        const int Count = 8;
        await using TestServer server = await TestServer.StartTinyAsync();
        await server.IdleAsync();
        long before = Resources.NativeBytes();
        for (int i = 0; i < Count; i++)
        {
            await UseAsync($"a{i}", pin: i == 0);
        }

        ListAdaptersResponse listed = await server.Client.Adapters.ListAsync(new ListAdaptersRequest { ResidentOnly = true });
        long used = Resources.NativeBytes() - before;
        output.WriteLine($"{Count} adapters: {used} bytes of native memory, {listed.ResidentBytes} bytes resident");
        Assert.Equal(Count, listed.Adapters.Count);
        Assert.Equal(listed.ResidentBytes, (ulong)listed.Adapters.Sum(adapter => (long)adapter.ResidentBytes));
        Assert.Equal((long)listed.ResidentBytes, used);
        foreach (Adapter adapter in listed.Adapters)
        {
            await server.Client.Adapters.UnloadAsync(new UnloadAdapterRequest { Name = adapter.Name });
        }

        await Eventually.TrueAsync(() => Resources.NativeBytes() == before, () => $"{Resources.NativeBytes() - before} of {used} bytes do not come back");
        listed = await server.Client.Adapters.ListAsync(new ListAdaptersRequest());
        Assert.Empty(listed.Adapters);
        Assert.Equal(0ul, listed.ResidentBytes);

        async Task UseAsync(string name, bool pin = false)
        {
            server.WriteAdapter(name, seed: name[^1], rank: 16);
            await server.Client.Adapters.LoadAsync(new LoadAdapterRequest { Name = name, Path = name, Pin = pin });
            await server.AskAsync(Ask.For(name));
        }
    }

    [Fact]
    public async Task WorkingSet_HalfToFourTimesTheBudget_EveryRequestIsAnsweredRightly()
    {
        const int InBudget = 8;
        const int Requests = 128;
        const uint Tokens = 16;
        await using TestServer server = await TestServer.StartTinyAsync(options => options.MaxAdapterWait = TimeSpan.FromSeconds(0.1));
        Answer[] quiet = new Answer[4 * InBudget];
        for (int i = 0; i < quiet.Length; i++)
        {
            await server.LoadAsync(($"a{i}", i));
            quiet[i] = await server.AskAsync(Ask.For($"a{i}", seed: i, tokens: Tokens));
        }

        server.Engine.Adapters.BudgetBytes = InBudget * server.Engine.Adapters.Get(Principal.Operator, "a0").ResidentBytes;
        await RunAsync(count: 1);
        double full = 0;
        foreach (double ratio in new[] { 0.5, 1, 2, 4 })
        {
            int count = (int)(ratio * InBudget);
            await RunAsync(count);
            long loads = Loads(server);
            double rate = await RunAsync(count);
            loads = Loads(server) - loads;
            full = ratio == 1 ? rate : full;
            output.WriteLine($"working set {ratio} × budget: {rate:0} tokens/s, {loads} loads for {Requests} requests{(full > 0 ? $", {rate / full:0.00} of what fits" : "")}");
            Assert.True(ratio > 1 ? loads > 0 : loads == 0, $"{loads} loads of {count} adapters where {InBudget} have room");
            Assert.True(server.Engine.Adapters.ResidentBytes <= server.Engine.Adapters.BudgetBytes);
        }

        // Each adapter is asked for equally often, in an order that says nothing.
        async Task<double> RunAsync(int count)
        {
            int[] order = [.. Enumerable.Range(0, Requests).Select(i => i % count)];
            new Random(count).Shuffle(order);
            long begun = Stopwatch.GetTimestamp();
            Answer[] answers = await Task.WhenAll(order.Select(i => server.AskAsync(Ask.For($"a{i}", seed: i, tokens: Tokens))));
            double seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
            Assert.Equal(order.Select(i => quiet[i]), answers);
            return Requests * Tokens / seconds;
        }
    }

    private static long Loads(TestServer server) => server.Engine.Adapters.List(Principal.Operator).Sum(adapter => adapter.Misses);
}
