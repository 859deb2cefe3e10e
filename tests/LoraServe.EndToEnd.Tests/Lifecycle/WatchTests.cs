using Grpc.Core;
using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.Serving.Requests;
using LoraServe.V1;

namespace LoraServe.EndToEnd.Tests.Lifecycle;

/// <summary>What a watcher is told while others work.</summary>
public class WatchTests
{
    [Fact]
    public async Task Watch_LifeOfAdapters_IsTold()
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        await server.LoadAsync(("a", 1));
        await server.AskAsync(Ask.For("a"));
        using AsyncServerStreamingCall<AdapterEvent> watch = server.Client.Adapters.Watch(new WatchAdaptersRequest { IncludeExisting = true });
        await ToldAsync(watch, "Exists a@1");
        server.WriteAdapter("b", 2);
        await server.Client.Adapters.LoadAsync(new LoadAdapterRequest { Name = "b", Path = "b" });
        await ToldAsync(watch, "Resident b@1", "Published b@1");
        server.Engine.Adapters.BudgetBytes = server.Engine.Adapters.Get(Principal.Operator, "a").ResidentBytes;
        await ToldAsync(watch, "Evicted a@1");
        await server.AskAsync(Ask.For("a"));
        await ToldAsync(watch, "Evicted b@1", "Resident a@1");
        await server.Client.Adapters.SetAliasAsync(new SetAliasRequest { Alias = "best", Target = "b" });
        await ToldAsync(watch, "AliasChanged b@1 best");
        await server.Client.UploadAsync("c", server.WriteAdapter("c", 3), "best", "next");
        await ToldAsync(watch, "Published c@1", "AliasChanged c@1 best", "AliasChanged c@1 next");
        await server.Client.Adapters.UnloadAsync(new UnloadAdapterRequest { Name = "c" });
        await ToldAsync(watch, "Unloaded c@1", "AliasChanged best@0 best", "AliasChanged next@0 next");
        await server.Client.Adapters.UnloadAsync(new UnloadAdapterRequest { Name = "a" });
        await ToldAsync(watch, "Unloaded a@1");
    }

    /// <summary>Reads until all of these were told, in any order.</summary>
    private static async Task ToldAsync(AsyncServerStreamingCall<AdapterEvent> watch, params string[] expected)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        HashSet<string> told = [];
        while (!told.IsSupersetOf(expected))
        {
            Exception? failure = await Record.ExceptionAsync(() => watch.ResponseStream.MoveNext(patience.Token));
            Assert.True(failure is null, $"told were only {string.Join(", ", told)}; expected {string.Join(", ", expected)}");
            AdapterEvent happened = watch.ResponseStream.Current;
            told.Add($"{happened.Type} {happened.Adapter.Name}@{happened.Adapter.Version} {happened.Alias}".Trim());
        }
    }
}
