using LoraServe.Adapters.Loading;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Store;
using LoraServe.Serving.Store.Versions;

namespace LoraServe.Serving.Tests.Store;

public class AdapterStoreTests
{
    [Fact]
    public async Task PublishAsync_Again_IsTheNextVersionAndTheOldOneStays()
    {
        await using var harness = new EngineHarness();
        AdapterStore store = harness.Engine.Adapters;
        PublishResult first = await store.PublishAsync(new Principal("me", IsAdmin: true), "a", harness.Adapter("a1", 1), new PublishOptions { Aliases = ["stable"] });
        PublishResult second = await store.PublishAsync(Principal.Operator, "a", harness.Adapter("a2", 2), new PublishOptions { ExpectedVersion = 1 });
        Assert.Equal((1, 2), (first.Adapter.Version, second.Adapter.Version));
        Assert.Equal((AdapterTier.Resident, "me", "a1"), (first.Adapter.Tier, first.Adapter.Owner, first.Adapter.Path));
        Assert.True(first.Report.ProbeLogitChange > 0);
        Assert.Equal(4, first.Report.Adapter.MatchedModules.Length);
        Assert.Equal(2, store.Get(Principal.Operator, "a").Version);
        Assert.Equal(1, store.Get(Principal.Operator, "a@1").Version);
        Assert.Equal(1, store.Get(Principal.Operator, "stable").Version);
        Assert.Equal("a@1", store.FindByDigest("a", first.Adapter.Digest) is { } found ? $"{found.Name}@{found.Version}" : null);
        Assert.Null(store.FindByDigest("b", first.Adapter.Digest));
        Assert.Equal(first.Adapter.Digest, AdapterLoader.DigestOf(store.FilesOf(Principal.Operator, "a@1")));
        Assert.Equal("a@2", store.SetAlias(Principal.Operator, "stable", "a"));
        Assert.Equal("a@1", store.SetAlias(Principal.Operator, "stable", "a@1"));
        GenerationRequest request = EngineHarness.Request(1, 20);
        Assert.NotEqual(
            await harness.IdsAsync(request with { Adapters = [new("a@1")] }),
            await harness.IdsAsync(request with { Adapters = [new("a@2")] }));
        (Generation generation, _) = await harness.RunAsync(request with { Adapters = [new("stable", 0.5f)] });
        Assert.Equal(new ServedAdapter("a", 1, first.Adapter.Digest, 0.5f), generation.Adapters[0]);
    }

    [Fact]
    public async Task PublishAsync_UnexpectedVersionOrTakenName_IsRefused()
    {
        await using var harness = new EngineHarness();
        AdapterStore store = harness.Engine.Adapters;
        string folder = harness.Adapter("a", 1);
        await store.PublishAsync(Principal.Operator, "a", folder, new PublishOptions { ExpectedVersion = 0, Aliases = ["alias"] });
        await RefusedAsync(EngineError.AdapterExists, () => store.PublishAsync(Principal.Operator, "a", folder, new PublishOptions { ExpectedVersion = 0 }));
        await RefusedAsync(EngineError.VersionConflict, () => store.PublishAsync(Principal.Operator, "a", folder, new PublishOptions { ExpectedVersion = 7 }));
        await RefusedAsync(EngineError.AdapterExists, () => store.PublishAsync(Principal.Operator, "alias", folder));
        await RefusedAsync(EngineError.AdapterExists, () => store.PublishAsync(Principal.Operator, "b", folder, new PublishOptions { Aliases = ["a"] }));
    }

    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData("a..b")]
    [InlineData("../a")]
    [InlineData("a/b")]
    [InlineData("a\\b")]
    [InlineData("/etc/passwd")]
    [InlineData(".hidden")]
    [InlineData("a b")]
    [InlineData("a\0b")]
    [InlineData("ä")]
    [InlineData("a@b")]
    [InlineData("a@0")]
    [InlineData("a@-1")]
    public async Task Names_ThatCouldBePaths_AreRefused(string name)
    {
        await using var harness = new EngineHarness();
        await RefusedAsync(EngineError.InvalidAdapterName, () => harness.Engine.Adapters.PublishAsync(Principal.Operator, name, harness.Adapter("a", 1)));
        await RefusedAsync(EngineError.InvalidAdapterName, () => harness.Engine.GenerateAsync(EngineHarness.Request(1, 3) with { Adapters = [new(name)] }));
        Assert.Throws<EngineException>(() => harness.Engine.Adapters.BeginUpload(Principal.Operator, name));
        Assert.Throws<EngineException>(() => harness.Engine.Adapters.Get(Principal.Operator, name));
    }

    [Fact]
    public async Task PublishBelowRootAsync_PathsThatLeaveTheRoot_AreRefused()
    {
        await using var harness = new EngineHarness();
        AdapterStore store = harness.Engine.Adapters;
        string outside = TinyAdapters.Write(Path.Combine(harness.Folder, "outside"), 1);
        string root = harness.Options.AdapterRoot!;
        Directory.CreateSymbolicLink(Path.Combine(root, "link"), outside);
        Directory.CreateDirectory(Path.Combine(root, "files"));
        foreach (string file in Directory.GetFiles(outside))
        {
            File.CreateSymbolicLink(Path.Combine(root, "files", Path.GetFileName(file)), file);
        }

        foreach (string path in new[] { "../outside", outside, "x/../../outside", "link", "files", "", ".", "missing", "a\0" })
        {
            await RefusedAsync(EngineError.PathRefused, () => store.PublishBelowRootAsync(Principal.Operator, "a", path));
        }

        await RefusedAsync(EngineError.PathRefused, () => harness.Engine.GenerateAsync(EngineHarness.Request(1, 3, "link")));
        harness.Adapter("inside/deep", 1);
        Assert.Equal("inside/deep", (await store.PublishBelowRootAsync(Principal.Operator, "a", "inside/deep")).Adapter.Path);
        Directory.CreateSymbolicLink(Path.Combine(root, "within"), Path.Combine(root, "inside"));
        await store.PublishBelowRootAsync(Principal.Operator, "b", "within/deep");
    }

    [Fact]
    public async Task GenerateAsync_NameOnlyInTheRoot_IsFoundOnceForAllWhoAsk()
    {
        await using var harness = new EngineHarness();
        harness.Adapter("cold", 5);
        int[][] answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => harness.IdsAsync(EngineHarness.Request(1, 20, "cold"))));
        Assert.All(answers, ids => Assert.Equal(answers[0], ids));
        AdapterRecord record = Assert.Single(harness.Engine.Adapters.List(Principal.Operator));
        Assert.Equal((1, AdapterSource.Resolver), (record.Version, record.Source));
        Assert.NotEqual(answers[0], await harness.IdsAsync(EngineHarness.Request(1, 20)));
    }

    [Fact]
    public async Task PublishAsync_WithoutEffectOrDamaged_IsRefusedAndNothingChanges()
    {
        await using var harness = new EngineHarness();
        AdapterStore store = harness.Engine.Adapters;
        string damaged = harness.Adapter("damaged", 2);
        File.WriteAllBytes(Path.Combine(damaged, "adapter_model.safetensors"), [1, 2, 3]);
        long before = EngineHarness.AllocatedBytes();
        await RefusedAsync(EngineError.AdapterRefused, () => store.PublishAsync(Principal.Operator, "a", harness.Adapter("nothing", 1, scale: 0)));
        EngineException refusal = await RefusedAsync(EngineError.AdapterRefused, () => store.PublishAsync(Principal.Operator, "a", damaged));
        Assert.DoesNotContain(harness.Folder, refusal.Message, StringComparison.Ordinal);
        Assert.Empty(store.List(Principal.Operator));
        Assert.Equal(before, EngineHarness.AllocatedBytes());
    }

    [Fact]
    public async Task Unload_WhileItRuns_FinishesOnItAndThenGivesTheMemoryBack()
    {
        await using var harness = new EngineHarness();
        AdapterStore store = harness.Engine.Adapters;
        long before = EngineHarness.AllocatedBytes();
        await store.PublishAsync(Principal.Operator, "a", harness.Adapter("a", 1, rank: 128));
        Assert.Equal(before + store.ResidentBytes, EngineHarness.AllocatedBytes());
        GenerationRequest request = EngineHarness.Request(1, 20, "a", maxTokens: 200);
        int[] expected = await harness.IdsAsync(request);
        using var isUnloaded = new ManualResetEventSlim();
        using var isRunning = new ManualResetEventSlim();
        harness.BeforeStep = _ =>
        {
            isRunning.Set();
            isUnloaded.Wait();
        };
        Task<int[]> running = harness.IdsAsync(request);
        await Task.Run(isRunning.Wait);
        Assert.Equal("a", Assert.Single(store.Unload(Principal.Operator, "a")).Name);
        isUnloaded.Set();
        Assert.Equal(EngineError.UnknownAdapter, Assert.Throws<EngineException>(() => store.Get(Principal.Operator, "a")).Error);
        Assert.Equal(expected, await running);
        await harness.UntilAsync(() => EngineHarness.AllocatedBytes() == before);
        Assert.Equal((0, 0), (store.ResidentBytes, store.HostBytes));
        await RefusedAsync(EngineError.UnknownAdapter, () => harness.Engine.GenerateAsync(request));
    }

    [Fact]
    public async Task Restart_WithTheSameStoreFolder_KnowsNamesVersionsAliasesAndPins()
    {
        string folder = Directory.CreateTempSubdirectory("loraserve-").FullName;
        GenerationRequest request = EngineHarness.Request(1, 20, "stable");
        int[] expected;
        await using (var first = new EngineHarness(folder: folder))
        {
            AdapterStore store = first.Engine.Adapters;
            await store.PublishAsync(Principal.Operator, "a", first.Adapter("a1", 1), new PublishOptions { Aliases = ["stable"] });
            await store.PublishAsync(Principal.Operator, "a", first.Adapter("a2", 2), new PublishOptions { Pin = true });
            await UploadAsync(store, "up", first.Adapter("up", 3));
            expected = await first.IdsAsync(request);
        }

        await using (var second = new EngineHarness(folder: folder))
        {
            AdapterStore store = second.Engine.Adapters;
            Assert.Equal(["a@1", "a@2", "up@1"], store.List(Principal.Operator).Select(record => $"{record.Name}@{record.Version}"));
            Assert.Equal("a@1", store.Aliases["stable"]);
            Assert.Equal(AdapterTier.Disk, store.Get(Principal.Operator, "a@1").Tier);
            Assert.True(store.Get(Principal.Operator, "a@2").IsPinned);
            Assert.Equal(expected, await second.IdsAsync(request));
            Assert.Equal(1, store.Get(Principal.Operator, "a@1").Misses);
            Assert.Equal(AdapterSource.Upload, store.Get(Principal.Operator, "up").Source);
            Assert.NotEmpty(await second.IdsAsync(request with { Adapters = [new("up")] }));
            store.Unload(Principal.Operator, "a");
            Assert.Equal(3, (await store.PublishAsync(Principal.Operator, "a", second.Adapter("a3", 3))).Adapter.Version);
        }

        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Lease_FilesChangedSincePublishing_FailsThatRequestOnly()
    {
        await using var harness = new EngineHarness(options => options.HostAdapterBytes = 0);
        AdapterStore store = harness.Engine.Adapters;
        string folder = harness.Adapter("a", 1);
        await store.PublishAsync(Principal.Operator, "a", folder);
        await store.PublishAsync(Principal.Operator, "b", harness.Adapter("b", 2));
        store.BudgetBytes = 0;
        store.BudgetBytes = 1 << 20;
        Assert.Equal(AdapterTier.Disk, store.Get(Principal.Operator, "a").Tier);
        TinyAdapters.Write(folder, seed: 9);
        EngineException failure = await RefusedAsync(EngineError.AdapterUnavailable, () => harness.RunAsync(EngineHarness.Request(1, 5, "a")));
        Assert.Contains("changed", failure.Message, StringComparison.Ordinal);
        await RefusedAsync(EngineError.AdapterUnavailable, () => Task.FromResult(store.FilesOf(Principal.Operator, "a")));
        await harness.IdsAsync(EngineHarness.Request(1, 5, "b"));
        TinyAdapters.Write(folder, seed: 1);
        harness.Time.Advance(TimeSpan.FromMilliseconds(1));
        await harness.IdsAsync(EngineHarness.Request(1, 5, "a"));
    }

    [Fact]
    public async Task BudgetBytes_MadeSmaller_EvictsAndPinnedStays()
    {
        await using var harness = new EngineHarness();
        AdapterStore store = harness.Engine.Adapters;
        foreach (int i in Enumerable.Range(0, 4))
        {
            await store.PublishAsync(Principal.Operator, $"a{i}", harness.Adapter($"a{i}", i));
        }

        long each = store.Get(Principal.Operator, "a0").ResidentBytes;
        store.Pin(Principal.Operator, "a0", true);
        store.BudgetBytes = 2 * each;
        Assert.Equal(["a0", "a3"], store.List(Principal.Operator).Where(record => record.Tier == AdapterTier.Resident).Select(record => record.Name));
        Assert.Equal(2 * each, store.ResidentBytes);
        await harness.IdsAsync(EngineHarness.Request(1, 5, "a1"));
        Assert.Equal(["a0", "a1"], store.List(Principal.Operator).Where(record => record.Tier == AdapterTier.Resident).Select(record => record.Name));
        await RefusedAsync(EngineError.AdapterTooLarge, () => harness.RunAsync(EngineHarness.Request(1, 5, "a1+a2")));
        Assert.Equal(EngineError.AdapterTooLarge, Assert.Throws<EngineException>(() => { store.Pin(Principal.Operator, "a1", true); store.Pin(Principal.Operator, "a2", true); }).Error);
    }

    [Fact]
    public async Task Upload_IncompleteOrForeignFilesOrTooLarge_LeavesNothing()
    {
        await using var harness = new EngineHarness(options => options.MaxUploadBytes = 100_000);
        AdapterStore store = harness.Engine.Adapters;
        await using (AdapterUpload broken = store.BeginUpload(Principal.Operator, "a"))
        {
            await broken.WriteAsync("adapter_config.json", new byte[10]);
            await RefusedAsync(EngineError.InvalidUpload, () => broken.CompleteAsync());
            await RefusedAsync(EngineError.InvalidUpload, () => broken.WriteAsync("../evil", new byte[1]).AsTask());
            await RefusedAsync(EngineError.InvalidUpload, () => broken.WriteAsync("adapter_model.safetensors", new byte[100_000]).AsTask());
        }

        await using (AdapterUpload damaged = store.BeginUpload(Principal.Operator, "a"))
        {
            await damaged.WriteAsync("adapter_config.json", new byte[10]);
            await damaged.WriteAsync("adapter_model.safetensors", new byte[10]);
            await RefusedAsync(EngineError.AdapterRefused, () => damaged.CompleteAsync());
        }

        Assert.Empty(store.List(Principal.Operator));
        Assert.Empty(Directory.EnumerateFiles(harness.Options.StoreFolder!, "adapter*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Unload_WithItsFiles_DeletesThem()
    {
        string folder = Directory.CreateTempSubdirectory("loraserve-").FullName;
        await using (var harness = new EngineHarness(folder: folder))
        {
            AdapterStore store = harness.Engine.Adapters;
            PublishResult published = await UploadAsync(store, "a", harness.Adapter("a", 1));
            Assert.Equal(AdapterSource.Upload, published.Adapter.Source);
            Assert.Equal(3, Directory.EnumerateFiles(harness.Options.StoreFolder!, "adapter*", SearchOption.AllDirectories).Count());
            store.Unload(Principal.Operator, "a", deleteFiles: true);
        }

        Assert.Equal("adapters.json", Path.GetFileName(Assert.Single(Directory.EnumerateFiles(Path.Combine(folder, "store"), "adapter*", SearchOption.AllDirectories))));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task WatchAsync_TellsWhatHappensInOrder()
    {
        await using var harness = new EngineHarness();
        AdapterStore store = harness.Engine.Adapters;
        await store.PublishAsync(Principal.Operator, "old", harness.Adapter("old", 1));
        List<string> seen = [];
        var began = new TaskCompletionSource();
        Task watching = Task.Run(async () =>
        {
            await foreach (AdapterEvent happened in store.WatchAsync(Principal.Operator, includeExisting: true))
            {
                seen.Add($"{happened.Type} {happened.Name}");
                began.TrySetResult();
                if (happened.Type == AdapterEventType.Unloaded)
                {
                    return;
                }
            }
        });
        await began.Task;
        await store.PublishAsync(Principal.Operator, "new", harness.Adapter("new", 2));
        store.SetAlias(Principal.Operator, "stable", "new");
        store.Unload(Principal.Operator, "new");
        await watching;
        Assert.Equal(["Exists old", "Resident new", "Published new", "AliasChanged stable", "Unloaded new"], seen);
    }

    [Fact]
    public async Task PublishAsync_MoreVersionsThanAreKept_DropsTheOldest()
    {
        await using var harness = new EngineHarness(options => options.MaxVersions = 2);
        AdapterStore store = harness.Engine.Adapters;
        foreach (int i in Enumerable.Range(1, 4))
        {
            await store.PublishAsync(Principal.Operator, "a", harness.Adapter($"a{i}", i), new PublishOptions { Aliases = i == 1 ? ["first"] : [] });
        }

        Assert.Equal([1, 3, 4], store.List(Principal.Operator).Select(record => record.Version));
    }

    internal static async Task<PublishResult> UploadAsync(AdapterStore store, string name, string folder)
    {
        await using AdapterUpload upload = store.BeginUpload(Principal.Operator, name);
        foreach (string file in Directory.GetFiles(folder).Order(StringComparer.Ordinal))
        {
            byte[] bytes = await File.ReadAllBytesAsync(file);
            foreach (byte[] chunk in bytes.Chunk(1000))
            {
                await upload.WriteAsync(Path.GetFileName(file), chunk);
            }
        }

        return await upload.CompleteAsync();
    }

    private static async Task<EngineException> RefusedAsync(EngineError error, Func<Task> action)
    {
        EngineException refusal = await Assert.ThrowsAsync<EngineException>(action);
        Assert.Equal(error, refusal.Error);
        return refusal;
    }
}
