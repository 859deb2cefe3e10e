using System.Collections.Concurrent;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Store;
using LoraServe.Serving.Store.Versions;

namespace LoraServe.Serving.Tests.Store.Names;

/// <summary>What tenants may do with what is theirs, another's and the operator's, through every way into the store.</summary>
public sealed class OwnershipTests : IAsyncDisposable
{
    private static readonly Principal s_alice = new("alice", IsAdmin: false);
    private static readonly Principal s_bob = new("bob", IsAdmin: false);
    private static readonly Principal s_admin = new("ops", IsAdmin: true);

    private readonly EngineHarness _harness = new();

    private AdapterStore Store => _harness.Engine.Adapters;

    public ValueTask DisposeAsync() => _harness.DisposeAsync();

    [Theory]
    [InlineData("hers")]
    [InlineData("hers@1")]
    [InlineData("live")]
    [InlineData("official")]
    [InlineData("prod")]
    public async Task Use_OfAnothers_LooksLikeWhatDoesNotExist(string reference)
    {
        await SetUpAsync();
        string nobodys = reference.Replace(reference.Split('@')[0], "nobodys", StringComparison.Ordinal);
        Refused(EngineError.UnknownAdapter, nobodys, () => Store.Get(s_bob, nobodys));
        Refused(EngineError.UnknownAdapter, reference, () => Store.Get(s_bob, reference));
        Refused(EngineError.UnknownAdapter, reference, () => Store.FilesOf(s_bob, reference));
        Assert.Null(Store.Find(s_bob, reference));
        string stack = $"everybodys+{reference}:0.5";
        await RefusedAsync(EngineError.UnknownAdapter, reference, () => _harness.Engine.GenerateAsync(EngineHarness.Request(1, 3, stack) with { Principal = s_bob }));
        await RefusedAsync(EngineError.UnknownAdapter, reference, () => _harness.Engine.ScoreAsync(new ScoreRequest { PromptTokens = [1, 2], Adapters = [new(reference)], Principal = s_bob }));
        await RefusedAsync(EngineError.UnknownAdapter, reference, () => _harness.Engine.EmbedAsync(new EmbedRequest { InputTokens = [[1]], Adapters = [new(reference)], Principal = s_bob }));
        await RefusedAsync(EngineError.UnknownAdapter, reference, () => Store.PublishCombinationAsync(s_bob, "merged", [new("everybodys"), new(reference)], new()));

        static string Text(string name) => $"There is no adapter '{name}'. List the adapters to see the names there are.";
        void Refused(EngineError error, string name, Action action) => Assert.Equal((error, Text(name)), Seen(Assert.Throws<EngineException>(action)));
        async Task RefusedAsync(EngineError error, string name, Func<Task> action) => Assert.Equal((error, Text(name)), Seen(await Assert.ThrowsAsync<EngineException>(action)));
        static (EngineError, string) Seen(EngineException refusal) => (refusal.Error, refusal.Message);
    }

    [Theory]
    [InlineData("hers")]
    [InlineData("live")]
    [InlineData("official")]
    [InlineData("prod")]
    [InlineData("everybodys")]
    public async Task Change_OfAnothers_IsDeniedAndChangesNothing(string name)
    {
        await SetUpAsync();
        string[] before = State();
        await DeniedAsync(() => PublishAsync(s_bob, name));
        await DeniedAsync(() => PublishAsync(s_bob, "bobs", name));
        await DeniedAsync(() => Store.PublishCombinationAsync(s_bob, name, [new("everybodys")], new()));
        await DeniedAsync(() => Task.FromResult(Store.BeginUpload(s_bob, name)));
        await DeniedAsync(() => Task.FromResult(Store.BeginUpload(s_bob, "bobs", new PublishOptions { Aliases = ["fine", name] })));
        await DeniedAsync(() => Task.FromResult(Store.Unload(s_bob, name)));
        await DeniedAsync(() => Task.FromResult(Store.Unload(s_bob, $"{name}@9")), except: name is "live" or "prod" or "everybodys");
        await DeniedAsync(() => Task.FromResult(Store.SetAlias(s_bob, "bobs", name)));
        await DeniedAsync(() => Task.FromResult(Store.SetAlias(s_bob, name, "everybodys")));
        await DeniedAsync(() => Task.FromResult(Store.SetAlias(s_bob, name, "")), except: name is "hers" or "official" or "everybodys");
        await DeniedAsync(() => Task.FromResult(Store.Pin(s_bob, name, true)));
        Assert.Equal(before, State());

        // What is not there, or no alias, is not found.
        static async Task DeniedAsync(Func<Task> action, bool except = false)
        {
            EngineException refusal = await Assert.ThrowsAsync<EngineException>(action);
            Assert.Equal(except ? EngineError.UnknownAdapter : EngineError.PermissionDenied, refusal.Error);
            Assert.DoesNotContain("alice", refusal.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("ops", refusal.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Own_CanBeUsedAndChanged()
    {
        await SetUpAsync();
        await PublishAsync(s_alice, "hers");
        Assert.Equal("hers@2", Store.SetAlias(s_alice, "live", "hers"));
        await PublishAsync(s_alice, "hers", "live");
        Assert.Equal("hers@3", Store.Aliases["live"]);
        Assert.Equal("", Store.SetAlias(s_alice, "live", ""));
        await _harness.IdsAsync(EngineHarness.Request(1, 3, "hers+everybodys") with { Principal = s_alice });
        Assert.Equal(3, Store.Unload(s_alice, "hers").Count);
        Assert.Equal(["everybodys"], Store.List(s_alice).Select(adapter => adapter.Name));
    }

    [Fact]
    public async Task Administrators_ChangeWhatStaysItsOwners()
    {
        await SetUpAsync();
        PublishResult second = await PublishAsync(s_admin, "hers");
        Assert.Equal((2, "alice"), (second.Adapter.Version, second.Adapter.Owner));
        Assert.Equal("hers@2", Store.SetAlias(s_admin, "live", "hers"));
        Assert.Equal(2, Store.Get(s_alice, "live").Version);
        Assert.Equal("hers@1", Store.SetAlias(s_alice, "live", "hers@1"));
        Store.SetAlias(s_admin, "prod", "hers");
        Assert.Equal(2, Store.Get(s_alice, "prod").Version); // her version, under the operator's alias
        Assert.Equal(EngineError.PermissionDenied, Assert.Throws<EngineException>(() => Store.SetAlias(s_alice, "prod", "hers@1")).Error);
        Assert.Null(Store.Find(s_bob, "prod"));
        Assert.Equal(4, Store.List(s_admin).Count);
    }

    [Fact]
    public async Task Names_WithoutVersions_StayTheirOwners()
    {
        await SetUpAsync();
        Store.Unload(s_alice, "hers");
        await RefusedAsync(EngineError.PermissionDenied, () => PublishAsync(s_bob, "hers"));
        await RefusedAsync(EngineError.PermissionDenied, () => PublishAsync(s_bob, "bobs", "hers"));

        // So does an alias whose version was taken out of service, until it is removed.
        await RefusedAsync(EngineError.PermissionDenied, () => PublishAsync(s_bob, "bobs", "live"));
        await RefusedAsync(EngineError.PermissionDenied, () => PublishAsync(s_bob, "live"));
        await RefusedAsync(EngineError.UnknownAdapter, () => Task.FromResult(Store.Get(s_alice, "live")));
        Assert.Equal(2, (await PublishAsync(s_alice, "hers")).Adapter.Version);
        Assert.Equal("", Store.SetAlias(s_alice, "live", ""));
        await PublishAsync(s_bob, "bobs", "live");
    }

    [Fact]
    public async Task Publish_UnderItsOwnAlias_IsRefusedForTheAliasWouldHideIt()
    {
        await SetUpAsync();
        await RefusedAsync(EngineError.AdapterExists, () => PublishAsync(s_bob, "bobs", "bobs"));
        await RefusedAsync(EngineError.AdapterExists, () => PublishAsync(s_alice, "live"));
        await RefusedAsync(EngineError.AdapterExists, () => PublishAsync(s_alice, "other", "hers"));
    }

    [Fact]
    public async Task Upload_WhoseNameAnotherTookMeanwhile_IsDeniedAndLeavesNothing()
    {
        await SetUpAsync();
        await using AdapterUpload slow = Store.BeginUpload(s_bob, "wanted", new PublishOptions { Aliases = ["best"] });
        await using AdapterUpload slowToo = Store.BeginUpload(s_bob, "other", new PublishOptions { Aliases = ["best"] });
        await SendAsync(slow);
        await SendAsync(slowToo);
        await PublishAsync(s_alice, "wanted", "best");
        string[] before = State();
        await RefusedAsync(EngineError.PermissionDenied, () => slow.CompleteAsync());
        await RefusedAsync(EngineError.PermissionDenied, () => slowToo.CompleteAsync());
        Assert.Equal(before, State());
        Assert.Equal("alice", Store.Get(s_alice, "best").Owner);
        Assert.Null(Store.Find(s_bob, "wanted"));
        await slow.DisposeAsync();
        await slowToo.DisposeAsync();
        Assert.Empty(Directory.EnumerateFiles(_harness.Options.StoreFolder!, "adapter_*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task NamesBelowTheRoot_AreTheOperators()
    {
        await SetUpAsync();
        string mine = TinyAdapters.Write(Path.Combine(_harness.Folder, "mine"), 7);
        _harness.Adapter("style", 5);
        await File.WriteAllTextAsync(Path.Combine(_harness.Options.AdapterRoot!, "tone.gguf"), "not read");
        foreach (string name in new[] { "style", "tone", "tone.gguf" })
        {
            await RefusedAsync(EngineError.PermissionDenied, () => Store.PublishAsync(s_bob, name, mine));
            await RefusedAsync(EngineError.PermissionDenied, () => Store.PublishAsync(s_bob, "bobs", mine, new PublishOptions { Aliases = [name] }));
            await RefusedAsync(EngineError.PermissionDenied, () => Task.FromResult(Store.BeginUpload(s_bob, name)));
        }

        await Store.PublishAsync(s_bob, "bobs", mine);
        await RefusedAsync(EngineError.PermissionDenied, () => Task.FromResult(Store.SetAlias(s_bob, "style", "bobs")));

        // Everybody may use it, before and after somebody has.
        await _harness.IdsAsync(EngineHarness.Request(1, 3, "style") with { Principal = s_alice });
        await _harness.IdsAsync(EngineHarness.Request(1, 3, "style") with { Principal = s_bob });
        Assert.Equal("", Store.Get(s_bob, "style").Owner);
        await RefusedAsync(EngineError.PermissionDenied, () => Store.PublishAsync(s_bob, "style", mine));
    }

    [Fact]
    public async Task NamesBelowTheRoot_PutThereAfterAnUploadBegan_AreTheOperators()
    {
        await SetUpAsync();
        await using AdapterUpload upload = Store.BeginUpload(s_bob, "late");
        await SendAsync(upload);
        _harness.Adapter("late", 5);
        await RefusedAsync(EngineError.PermissionDenied, () => upload.CompleteAsync());
        Assert.Null(Store.Find(Principal.Operator, "late"));
    }

    [Fact]
    public async Task PinAndFilesOfTheServer_AreForAdministrators()
    {
        await SetUpAsync();
        string mine = TinyAdapters.Write(Path.Combine(_harness.Folder, "mine"), 7);
        await RefusedAsync(EngineError.PermissionDenied, () => Task.FromResult(Store.Pin(s_alice, "hers", true)));
        await RefusedAsync(EngineError.PermissionDenied, () => Store.PublishAsync(s_bob, "bobs", mine, new PublishOptions { Pin = true }));
        await RefusedAsync(EngineError.PermissionDenied, () => Store.PublishBelowRootAsync(s_bob, "bobs", "hers"));
        await RefusedAsync(EngineError.PermissionDenied, () => Store.PublishAsync(new Principal("", IsAdmin: false), "nobodys", mine));
        Assert.True(Store.Pin(s_admin, "hers", true).IsPinned);
    }

    [Fact]
    public async Task Watch_TellsTenantsOfWhatTheyMayUse()
    {
        await SetUpAsync();
        var told = new ConcurrentDictionary<string, List<string>>();
        using var begun = new CountdownEvent(3);
        Task[] watching = [.. new[] { s_alice, s_bob, s_admin }.Select(who => Task.Run(() => WatchAsync(who)))];
        await Task.Run(() => begun.Wait(TimeSpan.FromMinutes(1)));
        await PublishAsync(s_alice, "hers", "live", "next");
        Store.SetAlias(s_alice, "next", "hers@1");
        Store.SetAlias(s_alice, "next", "");
        Store.Unload(s_alice, "hers@2");
        await PublishAsync(Principal.Operator, "last");
        await Task.WhenAll(watching);
        string[] hers =
        [
            "Resident hers", "Published hers", "AliasChanged live hers@2", "AliasChanged next hers@2", "AliasChanged next hers@1", "AliasChanged next",
            "Unloaded hers", "AliasChanged live", "Resident last", "Published last",
        ];
        Assert.Equal(["Exists everybodys", "Exists hers", .. hers], told["alice"]);
        Assert.Equal(["Exists everybodys", "Resident last", "Published last"], told["bob"]);
        Assert.Equal(["Exists everybodys", "Exists hers", "Exists official", .. hers], told["ops"]);

        async Task WatchAsync(Principal who)
        {
            List<string> events = told[who.Tenant] = [];
            await foreach (AdapterEvent happened in Store.WatchAsync(who, includeExisting: true))
            {
                events.Add($"{happened.Type} {happened.Name} {happened.Detail}".Trim());
                if (events.Count == 1)
                {
                    begun.Signal(); // who has seen the first of what exists misses nothing that comes
                }

                if (events[^1] == "Published last")
                {
                    return;
                }
            }
        }
    }

    private async Task SetUpAsync()
    {
        await PublishAsync(s_alice, "hers", "live");
        await PublishAsync(s_admin, "official", "prod");
        await PublishAsync(Principal.Operator, "everybodys");
    }

    private Task<PublishResult> PublishAsync(Principal who, string name, params string[] aliases) =>
        Store.PublishAsync(who, name, TinyAdapters.Write(Path.Combine(_harness.Folder, "files", name), 3), new PublishOptions { Aliases = aliases });

    private async Task SendAsync(AdapterUpload upload)
    {
        string folder = TinyAdapters.Write(Path.Combine(_harness.Folder, "files", "sent"), 4);
        foreach (string file in Directory.GetFiles(folder))
        {
            await upload.WriteAsync(Path.GetFileName(file), await File.ReadAllBytesAsync(file));
        }
    }

    private string[] State() =>
    [
        .. Store.List(Principal.Operator).Select(adapter => $"{adapter.Name}@{adapter.Version} of {adapter.Owner} pinned {adapter.IsPinned}"),
        .. Store.Aliases.Select(alias => $"{alias.Key} → {alias.Value}"),
    ];

    private static async Task RefusedAsync(EngineError error, Func<Task> action) => Assert.Equal(error, (await Assert.ThrowsAsync<EngineException>(action)).Error);
}
