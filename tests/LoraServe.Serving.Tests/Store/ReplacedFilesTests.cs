using LoraServe.Serving.Requests;

namespace LoraServe.Serving.Tests.Store;

/// <summary>Folders below the adapter root that others take the place of.</summary>
public sealed class ReplacedFilesTests : IDisposable
{
    private static readonly TimeSpan s_afterALook = TimeSpan.FromSeconds(3);

    private readonly string _folder = Directory.CreateTempSubdirectory("loraserve-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Request_AfterItsFolderWasReplaced_GetsTheNextVersion()
    {
        await using var harness = new EngineHarness(folder: _folder);
        string files = harness.Adapter("style", 1);
        Assert.Equal(1, await VersionAsync(harness));
        TinyAdapters.Write(files, 2, rank: 8);
        harness.Time.Advance(s_afterALook);
        int[] versions = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => VersionAsync(harness)));
        Assert.All(versions, version => Assert.Equal(2, version));
        Assert.Equal(2, await VersionAsync(harness, "style@2"));
        Assert.Equal("", harness.Engine.Adapters.Get(Principal.Operator, "style").Owner);
    }

    [Fact]
    public async Task Request_AfterARestart_GetsWhatIsThereNow()
    {
        await using (var first = new EngineHarness(folder: _folder))
        {
            first.Adapter("style", 1);
            first.Adapter("tone", 3);
            Assert.Equal((1, 1), (await VersionAsync(first), await VersionAsync(first, "tone")));
        }

        await using var second = new EngineHarness(folder: _folder);
        second.Adapter("style", 2, rank: 8);
        int[] versions = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => VersionAsync(second)));
        Assert.All(versions, version => Assert.Equal(2, version));
        Assert.Equal(1, await VersionAsync(second, "tone"));
    }

    [Fact]
    public async Task Request_FolderReplacedByWhatCannotBeServed_GetsTheVersionThatIs()
    {
        await using var harness = new EngineHarness(folder: _folder);
        string files = harness.Adapter("style", 1);
        Assert.Equal(1, await VersionAsync(harness));
        await File.WriteAllTextAsync(Path.Combine(files, "adapter_model.safetensors"), "half");
        harness.Time.Advance(s_afterALook);
        Assert.Equal(1, await VersionAsync(harness));
        TinyAdapters.Write(files, 2, rank: 8);
        harness.Time.Advance(s_afterALook);
        Assert.Equal(2, await VersionAsync(harness));
    }

    [Fact]
    public async Task Request_FilesTouchedOnly_StaysOnItsVersion()
    {
        await using var harness = new EngineHarness(folder: _folder);
        string files = harness.Adapter("style", 1);
        Assert.Equal(1, await VersionAsync(harness));
        File.SetLastWriteTimeUtc(Path.Combine(files, "adapter_config.json"), new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc));
        harness.Time.Advance(s_afterALook);
        Assert.Equal(1, await VersionAsync(harness));
        Assert.Single(harness.Engine.Adapters.List(Principal.Operator));
    }

    private static async Task<int> VersionAsync(EngineHarness harness, string name = "style") =>
        (await harness.RunAsync(EngineHarness.Request(1, 3, name, maxTokens: 2) with { Principal = new Principal("bob", IsAdmin: false) })).Generation.Adapters[0].Version;
}
