using System.Text.Json.Nodes;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Store;
using LoraServe.Serving.Store.Names;
using LoraServe.Serving.Store.Versions;
using LoraServe.Testing;
using Microsoft.Extensions.Logging;

namespace LoraServe.Serving.Tests.Store;

/// <summary>What was acknowledged is what is served and what a restart finds, whatever the disk does.</summary>
public sealed class DurabilityTests : IDisposable
{
    private static readonly Principal s_alice = new("alice", IsAdmin: false);

    private readonly string _folder = Directory.CreateTempSubdirectory("loraserve-").FullName;

    private string StoreFolder => Path.Combine(_folder, "store");

    private string ListPath => Path.Combine(StoreFolder, "adapters.json");

    public static TheoryData<string, bool> Changes
    {
        get
        {
            var changes = new TheoryData<string, bool>();
            foreach (string change in new[] { "publish", "upload", "aliases", "merge", "alias", "no alias", "unload", "unload with files", "pin" })
            {
                changes.Add(change, false);
                changes.Add(change, true);
            }

            return changes;
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task Change_DiskFailsAtAnyStep_IsMadeWholeOrNotAtAll(string change, bool staysBroken)
    {
        string[] served;
        await using (var harness = new EngineHarness(folder: _folder))
        {
            AdapterStore store = harness.Engine.Adapters;
            await store.PublishAsync(s_alice, "files", Files("files", 1), new PublishOptions { Aliases = ["live"] });
            await UploadAsync(store, "sent", 4);
            await UploadAsync(store, "sent", 6);
            bool isDone = false;
            for (int step = 1; !isDone; step++)
            {
                Assert.True(step < 100, "It never succeeds.");
                string[] before = Served(store);
                string[] kept = Kept();
                using (var disk = new FailingDisk(step, staysBroken, path => path.StartsWith(StoreFolder, StringComparison.Ordinal)))
                {
                    Exception? failure = await Record.ExceptionAsync(() => ChangeAsync(harness, change));
                    isDone = !disk.HasFailed;
                    Assert.Equal(isDone, failure is null);
                    Assert.True(isDone || failure is EngineException { Error: EngineError.StorageFailed }, $"step {step}: {failure}");
                }

                if (!isDone)
                {
                    Assert.Equal(before, Served(store));

                    // A disk that stays broken from the folder's flush on cannot be asked to take the old list back; then what the list names is there.
                    if (!staysBroken || Listed().SequenceEqual(before))
                    {
                        Assert.Equal(before, Listed());
                        Assert.Equal(kept, Kept());
                    }
                }

                Assert.Empty(Directory.GetFiles(StoreFolder, "*.tmp"));
                await AllAnswerAsync(harness);
            }

            served = Served(store);
            Assert.Equal(served, Listed());
        }

        await using var restarted = new EngineHarness(folder: _folder);
        Assert.Equal(served, Served(restarted.Engine.Adapters));
        await AllAnswerAsync(restarted);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("""{ "Format": "x" }""")]
    [InlineData("""{ "Versions": [null] }""")]
    [InlineData("""{ "Versions": null, "LastVersions": { "a": 0 } }""")]
    [InlineData("""{ "LastVersions": { "../a": 1 } }""")]
    [InlineData("""{ "Aliases": { "a": null } }""")]
    [InlineData("""{ "Pinned": [3] }""")]
    public async Task Start_DamagedList_IsNamedAndSetAsideAndTheRestStarts(string list)
    {
        await using (var first = new EngineHarness(folder: _folder))
        {
            await UploadAsync(first.Engine.Adapters, "sent", 4);
        }

        await File.WriteAllTextAsync(ListPath, list);
        string kept = Assert.Single(Kept());
        for (int step = 0; step < 6; step++)
        {
            var log = new RecordedLog();
            using var disk = new FailingDisk(step);
            await using var harness = new EngineHarness(folder: _folder, loggers: log);
            Assert.Empty(harness.Engine.Adapters.List(Principal.Operator));
            if (step == 0)
            {
                Assert.Contains(log.Of(LogLevel.Error), line => line.Contains("adapters.json.damaged-", StringComparison.Ordinal));
                Assert.Equal(list, await File.ReadAllTextAsync(Assert.Single(Directory.GetFiles(StoreFolder, "adapters.json.damaged-*"))));
                await harness.Engine.Adapters.PublishAsync(Principal.Operator, "new", Files("new", 2));
                await File.WriteAllTextAsync(ListPath, list);
            }

            // Files that the list may have named stay for whoever restores it.
            Assert.Equal(kept, Assert.Single(Kept()));
            Assert.Contains(list, Directory.GetFiles(StoreFolder, "adapters.json*").Select(File.ReadAllText));
        }
    }

    [Fact]
    public async Task Start_OneImpossibleEntry_TheOthersAreServed()
    {
        string[] served;
        await using (var first = new EngineHarness(folder: _folder))
        {
            await first.Engine.Adapters.PublishAsync(s_alice, "good", Files("good", 1), new PublishOptions { Aliases = ["live"] });
            served = Served(first.Engine.Adapters);
            await first.Engine.Adapters.PublishAsync(s_alice, "torn", Files("torn", 2));
        }

        string list = await File.ReadAllTextAsync(ListPath);
        int entry = list.IndexOf("\"Name\": \"torn\"", StringComparison.Ordinal);
        await File.WriteAllTextAsync(ListPath, list[..entry] + list[entry..].Replace("\"FileBytes\": ", "\"FileBytes\": -", StringComparison.Ordinal));
        var log = new RecordedLog();
        await using var harness = new EngineHarness(folder: _folder, loggers: log);
        Assert.Equal(served, Served(harness.Engine.Adapters));
        Assert.Contains(log.Of(LogLevel.Error), line => line.Contains("Versions[1]", StringComparison.Ordinal));
        Assert.Single(Directory.GetFiles(StoreFolder, "adapters.json.damaged-*"));

        // Its name stays hers, and its number is not used again.
        Assert.Equal(EngineError.PermissionDenied, (await Assert.ThrowsAsync<EngineException>(() => PublishAsync(new Principal("bob", IsAdmin: false)))).Error);
        Assert.Equal(2, (await PublishAsync(s_alice)).Adapter.Version);

        Task<PublishResult> PublishAsync(Principal who) => harness.Engine.Adapters.PublishAsync(who, "torn", Files("torn", 3));
    }

    [Fact]
    public async Task Start_ListOfAnOlderServer_GivesNamesAndAliasesTheirOwners()
    {
        await using (var first = new EngineHarness(folder: _folder))
        {
            await first.Engine.Adapters.PublishAsync(s_alice, "hers", Files("hers", 1), new PublishOptions { Aliases = ["live"], ExpectedVersion = 0 });
            await first.Engine.Adapters.PublishAsync(s_alice, "gone", Files("gone", 1));
            first.Engine.Adapters.Unload(s_alice, "gone");
            await UploadAsync(first.Engine.Adapters, "sent", 4);
            first.Engine.Adapters.Unload(Principal.Operator, "sent");
        }

        JsonNode list = JsonNode.Parse(await File.ReadAllTextAsync(ListPath))!;
        foreach (string added in new[] { "Format", "Owners", "AliasOwners", "Kept" })
        {
            Assert.True(list.AsObject().Remove(added));
        }

        await File.WriteAllTextAsync(ListPath, list.ToJsonString());
        await using var harness = new EngineHarness(folder: _folder);
        AdapterStore store = harness.Engine.Adapters;
        var bob = new Principal("bob", IsAdmin: false);
        Assert.Equal(["hers@1 of alice"], Served(store).Where(line => line.StartsWith("hers", StringComparison.Ordinal)));
        Assert.Equal(EngineError.PermissionDenied, Assert.Throws<EngineException>(() => store.SetAlias(bob, "live", "")).Error);
        Assert.Single(Kept()); // lists once did not say which files were to stay
        Assert.Equal(2, (await store.PublishAsync(bob, "gone", Files("gone", 2))).Adapter.Version);
        Assert.Equal("hers@1", store.SetAlias(s_alice, "live", "hers"));
    }

    [Fact]
    public async Task Start_StoreOfAServerThatFoundFilesByPath_LoadsAll()
    {
        string[] served;
        string inPlace = Files("placed", 1);
        await using (var first = new EngineHarness(folder: _folder))
        {
            AdapterStore store = first.Engine.Adapters;
            await store.PublishAsync(s_alice, "placed", inPlace, new PublishOptions { Aliases = ["live"] });
            await UploadAsync(store, "sent", 4);
            await UploadAsync(store, "twice", 4);
            await UploadAsync(store, "kept", 5);
            first.Adapter("found", 6);
            await first.IdsAsync(EngineHarness.Request(1, 3, "found"));
            served = [.. Served(store).Where(line => !line.StartsWith("kept", StringComparison.Ordinal))];
        }

        // As it lay on the disk then: a folder for each version that was sent, called by its name; and the list said where.
        JsonNode list = JsonNode.Parse(await File.ReadAllTextAsync(ListPath))!;
        string adapters = Path.Combine(StoreFolder, "adapters");
        string elsewhere = Path.Combine(_folder, "moved-since", "adapters");
        Assert.Equal(3, list["Format"]!.GetValue<int>());
        list["Format"] = 2;
        list.AsObject().Remove("Generation");
        foreach (JsonNode? version in list["Versions"]!.AsArray().ToArray())
        {
            string name = version!["Name"]!.GetValue<string>();
            bool wasSent = version["Source"]!.GetValue<string>() == "Upload";
            if (wasSent)
            {
                CopyFolder(Path.Combine(adapters, version["Digest"]!.GetValue<string>()), Path.Combine(adapters, $"{name}-0123"));
            }

            version["Path"] = wasSent ? Path.Combine(elsewhere, $"{name}-0123") : name == "found" ? Path.Combine(_folder, "root", name) : inPlace;
            version["FileStamp"] = name == "found" ? "adapter_config.json:1:2" : "";
            version.AsObject().Remove("ShownPath");
            if (name == "kept")
            {
                list["Versions"]!.AsArray().Remove(version);
            }
        }

        list["Kept"] = new JsonArray("kept-0123");
        await File.WriteAllTextAsync(ListPath, list.ToJsonString());
        foreach (string made in Kept().Where(folder => Path.GetFileName(folder).Length == 64))
        {
            Directory.Delete(made, recursive: true);
        }

        Array.ForEach(Directory.GetFiles(adapters, "*.place"), File.Delete);
        foreach (bool isChanged in new[] { false, true })
        {
            var log = new RecordedLog();
            await using var harness = new EngineHarness(folder: _folder, loggers: log);
            AdapterStore store = harness.Engine.Adapters;
            Assert.Empty(log.Of(LogLevel.Warning).Concat(log.Of(LogLevel.Error)));
            Assert.Equal(isChanged ? [.. served, "pinned sent@1"] : served, Served(store));
            Assert.Equal(["kept-0123", store.Get(Principal.Operator, "sent").Digest], Kept().Select(folder => Path.GetFileName(folder)!).OrderDescending(StringComparer.Ordinal));
            Assert.Equal(["found", "placed", "sent", "twice"], store.List(Principal.Operator).Select(adapter => adapter.Path));
            await AllAnswerAsync(harness);
            Assert.NotEmpty(await harness.IdsAsync(EngineHarness.Request(1, 3, "found")));
            Assert.Equal(1, store.Get(Principal.Operator, "found").Version);
            store.Pin(Principal.Operator, "sent", true);
        }

        Assert.DoesNotContain(_folder, await File.ReadAllTextAsync(ListPath), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_ListOfANewerServer_IsRefusedAndLeftAlone()
    {
        Directory.CreateDirectory(StoreFolder);
        await File.WriteAllTextAsync(ListPath, """{ "Format": 4, "Versions": [] }""");
        EngineException refusal = Assert.Throws<EngineException>(() => new EngineHarness(folder: _folder));
        Assert.Contains("newer", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(["adapters.json"], Directory.GetFiles(StoreFolder, "adapters*").Select(Path.GetFileName));
    }

    [Fact]
    public async Task Start_FilesThatAreGone_AreNamed()
    {
        string files = Files("a", 1);
        await using (var first = new EngineHarness(folder: _folder))
        {
            await first.Engine.Adapters.PublishAsync(Principal.Operator, "a", files);
        }

        Directory.Delete(files, recursive: true);
        var log = new RecordedLog();
        await using var harness = new EngineHarness(folder: _folder, loggers: log);
        Assert.Contains(log.Of(LogLevel.Warning), line => line.Contains("a@1", StringComparison.Ordinal) && line.Contains(files, StringComparison.Ordinal));
        EngineException failure = await Assert.ThrowsAsync<EngineException>(() => harness.RunAsync(EngineHarness.Request(1, 3, "a")));
        Assert.Equal(EngineError.AdapterUnavailable, failure.Error);
        Assert.DoesNotContain(_folder, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_WhatIsLeftOfUploads_IsSweptAndNothingElse()
    {
        string kept;
        await using (var first = new EngineHarness(folder: _folder))
        {
            await UploadAsync(first.Engine.Adapters, "served", 4);
            await UploadAsync(first.Engine.Adapters, "kept", 5);
            kept = first.Engine.Adapters.Get(Principal.Operator, "kept").Digest;
            first.Engine.Adapters.Unload(Principal.Operator, "kept");
        }

        string[] named = Kept();
        Directory.CreateDirectory(Path.Combine(StoreFolder, "uploads", "cut"));
        Directory.CreateDirectory(Path.Combine(StoreFolder, "adapters", "cut-0123"));
        Directory.CreateDirectory(Path.Combine(StoreFolder, "others"));
        await using (var second = new EngineHarness(folder: _folder))
        {
            Assert.Equal(named, Kept());
            Assert.False(Directory.Exists(Path.Combine(StoreFolder, "uploads")));
            Assert.True(Directory.Exists(Path.Combine(StoreFolder, "others")));
            second.Engine.Adapters.Unload(Principal.Operator, "served", deleteFiles: true);
        }

        Assert.Equal(named.Where(folder => Path.GetFileName(folder) == kept), Kept());
    }

    [Fact]
    public async Task Start_StoreOfARunningServer_IsRefused()
    {
        await using (var first = new EngineHarness(folder: _folder))
        {
            EngineException refusal = Assert.Throws<EngineException>(() => new EngineHarness(folder: _folder));
            Assert.Equal(EngineError.StorageFailed, refusal.Error);
            Assert.Contains($"{StoreFolder} is in use by another server", refusal.Message, StringComparison.Ordinal);
            await first.Engine.Adapters.PublishAsync(Principal.Operator, "a", Files("a", 1));
        }

        await using var second = new EngineHarness(folder: _folder);
        Assert.Equal(["a@1 of "], Served(second.Engine.Adapters));
    }

    private static async Task ChangeAsync(EngineHarness harness, string change)
    {
        AdapterStore store = harness.Engine.Adapters;
        await (change switch
        {
            "publish" => store.PublishAsync(s_alice, "new", TinyAdapters.Write(Path.Combine(harness.Folder, "files", "new"), 5)),
            "upload" => UploadAsync(store, "sent", 7),
            "aliases" => UploadAsync(store, "new", 8, "live", "next"),
            "merge" => store.PublishCombinationAsync(Principal.Operator, "merged", [new("files"), new("sent", 0.5f)], new()),
            "alias" => Task.FromResult(store.SetAlias(Principal.Operator, "live", "sent@1")),
            "no alias" => Task.FromResult(store.SetAlias(s_alice, "live", "")),
            "unload" => Task.FromResult(store.Unload(Principal.Operator, "sent")),
            "unload with files" => Task.FromResult(store.Unload(Principal.Operator, "sent@1", deleteFiles: true)),
            _ => (Task)Task.FromResult(store.Pin(Principal.Operator, "sent@1", true)),
        });
    }

    private static async Task UploadAsync(AdapterStore store, string name, int seed, params string[] aliases)
    {
        await using AdapterUpload upload = store.BeginUpload(Principal.Operator, name, new PublishOptions { Aliases = aliases });
        string folder = TinyAdapters.Write(Directory.CreateTempSubdirectory("loraserve-").FullName, seed);
        foreach (string file in Directory.GetFiles(folder))
        {
            await upload.WriteAsync(Path.GetFileName(file), await File.ReadAllBytesAsync(file));
        }

        Directory.Delete(folder, recursive: true);
        await upload.CompleteAsync();
    }

    private static async Task AllAnswerAsync(EngineHarness harness)
    {
        foreach (AdapterRecord adapter in harness.Engine.Adapters.List(Principal.Operator))
        {
            Assert.NotEmpty(await harness.IdsAsync(EngineHarness.Request(1, 3, $"{adapter.Name}@{adapter.Version}", maxTokens: 2)));
        }
    }

    private static void CopyFolder(string from, string to)
    {
        Directory.CreateDirectory(to);
        Array.ForEach(Directory.GetFiles(from), file => File.Copy(file, Path.Combine(to, Path.GetFileName(file))));
    }

    private static string[] Served(AdapterStore store) =>
    [
        .. store.List(Principal.Operator).Select(adapter => $"{adapter.Name}@{adapter.Version} of {adapter.Owner}"),
        .. store.Aliases.Select(alias => $"{alias.Key} → {alias.Value}"),
        .. store.List(Principal.Operator).Where(adapter => adapter.IsPinned).Select(adapter => $"pinned {adapter.Name}@{adapter.Version}"),
    ];

    private string[] Listed()
    {
        NamesList list = new NamesFile(StoreFolder, TimeProvider.System).Load((_, path) => throw new InvalidOperationException(path));
        Assert.Empty(list.Faults);
        return
        [
            .. list.Names.Versions.Select(version => $"{version} of {version.Manifest.Owner}"),
            .. list.Names.Aliases.Where(alias => alias.Value.Target is not null).Select(alias => $"{alias.Key} → {alias.Value.Target}"),
            .. list.Names.Pinned.Select(version => $"pinned {version}"),
        ];
    }

    private string Files(string name, int seed) => TinyAdapters.Write(Path.Combine(_folder, "files", name), seed);

    private string[] Kept() => Directory.Exists(Path.Combine(StoreFolder, "adapters")) ? [.. Directory.GetDirectories(Path.Combine(StoreFolder, "adapters")).Order(StringComparer.Ordinal)] : [];
}
