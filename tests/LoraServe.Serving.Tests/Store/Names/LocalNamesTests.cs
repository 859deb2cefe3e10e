using System.Collections.Concurrent;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Store.Files;
using LoraServe.Serving.Store.Names;
using LoraServe.Serving.Store.Versions;
using LoraServe.Serving.Tests.Store.Residency;
using LoraServe.Testing;

namespace LoraServe.Serving.Tests.Store.Names;

/// <summary>A change of names is one transaction: made of what was read, written, then served; who comes second begins anew.</summary>
public sealed class LocalNamesTests : IDisposable
{
    private static readonly Principal s_alice = new("alice", IsAdmin: false);
    private static readonly Principal s_bob = new("bob", IsAdmin: false);

    private readonly string _folder = Directory.CreateTempSubdirectory("loraserve-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void TrySwap_NamesMadeOfOthersThanThoseInService_ChangesNothing()
    {
        using var store = new StoreFolder(_folder);
        var list = new LocalNames(store, TimeProvider.System);
        AdapterNames read = list.Load(NoPaths).Names;
        AdapterNames served = read;
        Assert.True(list.TrySwap(With(read, s_alice, "a"), next => served = next));
        Assert.False(list.TrySwap(With(read, s_bob, "b"), next => served = next));
        Assert.Equal(["a@1"], served.Versions.Select(version => $"{version}"));
        Assert.Equal(["a@1"], Listed().Versions.Select(version => $"{version}"));
        Assert.True(list.TrySwap(With(served, s_bob, "b"), next => served = next));
        Assert.Equal(["a@1", "b@1"], Listed().Versions.Select(version => $"{version}"));
        Assert.Equal(served.Generation, Listed().Generation);
    }

    [Fact]
    public void TrySwap_ThatCannotBeWritten_ServesNothingAndTheNextOneIsMade()
    {
        using var store = new StoreFolder(_folder);
        var list = new LocalNames(store, TimeProvider.System);
        AdapterNames served = list.Load(NoPaths).Names;
        AdapterNames next = With(served, s_alice, "a");
        using (new FailingDisk(1, staysBroken: true))
        {
            Assert.Throws<EngineException>(() => list.TrySwap(next, names => served = names));
        }

        Assert.Empty(served.Versions);
        Assert.True(list.TrySwap(next, names => served = names));
        Assert.Equal(["a@1"], Listed().Versions.Select(version => $"{version}"));
    }

    [Fact]
    public async Task TrySwap_ManyPublishersOfOneNameAndItsAliases_LoseNothingAndBreakNoRule()
    {
        const int Publishers = 8;
        const int Each = 25;
        using var store = new StoreFolder(_folder);
        var list = new LocalNames(store, TimeProvider.System);
        AdapterNames served = list.Load(NoPaths).Names;
        long lost = 0;
        var published = new ConcurrentBag<string>();
        var refused = new ConcurrentBag<EngineError>();
        var seen = new ConcurrentQueue<AdapterNames>();
        using var start = new Barrier(Publishers + 1);
        Task[] racing =
        [
            .. Enumerable.Range(0, Publishers).Select(i => Task.Factory.StartNew(() => Publish(i), TaskCreationOptions.LongRunning)),
            Task.Factory.StartNew(MoveAliases, TaskCreationOptions.LongRunning),
        ];
        await Task.WhenAll(racing);

        // Each of them is there once, with the next number, and whoever was first owns name and alias for good.
        AdapterNames[] names = [served, Listed()];
        string owner = served.EntryOf("a")!.Owner!;
        Assert.All(names, each => Assert.Equal(Enumerable.Range(1, published.Count), each.VersionsOf("a").Select(version => version.Manifest.Version)));
        Assert.All(names, each => Assert.Equal(published.Order(StringComparer.Ordinal), each.VersionsOf("a").Select(version => version.Digest).Order(StringComparer.Ordinal)));
        Assert.All(served.VersionsOf("a"), version => Assert.Equal(owner, version.Manifest.Owner));
        Assert.All(refused, error => Assert.Equal(EngineError.PermissionDenied, error));
        Assert.Equal(Publishers * Each, published.Count + refused.Count);
        Assert.True(published.Count >= Publishers / 2 * Each, $"{published.Count} were published.");
        Assert.True(lost > 0, "Nobody raced.");
        AdapterNames[] order = [.. seen];
        Assert.All(order.Zip(order.Skip(1)), pair => Assert.True(pair.Second.Generation == pair.First.Generation + 1));
        Assert.All(order, each => Assert.All(each.Aliases, alias => Assert.Equal(alias.Key == "live" ? owner : "", alias.Value.Owner)));
        Assert.All(order.Zip(order.Skip(1)), pair => Assert.True(pair.Second.VersionsOf("a").Length - pair.First.VersionsOf("a").Length is 0 or 1));

        void Publish(int publisher)
        {
            Principal who = publisher % 2 == 0 ? s_alice : s_bob;
            start.SignalAndWait();
            for (int i = 0; i < Each; i++)
            {
                try
                {
                    string digest = $"{publisher}-{i}".PadLeft(64, '0').Replace('-', 'f');
                    Change(who, names =>
                    {
                        names.CheckPublish(who, "a", new PublishOptions { Aliases = ["live"] });
                        return With(names, who, "a", digest, "live");
                    });
                    published.Add(digest);
                }
                catch (EngineException refusal)
                {
                    refused.Add(refusal.Error);
                }
            }
        }

        void MoveAliases()
        {
            start.SignalAndWait();
            for (int i = 0; i < Each; i++)
            {
                Change(Principal.Operator, names =>
                {
                    names.CheckAlias(Principal.Operator, "stable");
                    return names.Find(Principal.Operator, "a") is { } latest ? names.WithAlias(Principal.Operator, "stable", latest) : names;
                });
            }
        }

        void Change(Principal who, Func<AdapterNames, AdapterNames> make)
        {
            while (!list.TrySwap(make(Volatile.Read(ref served)), next =>
            {
                seen.Enqueue(next);
                Volatile.Write(ref served, next);
            }))
            {
                Interlocked.Increment(ref lost);
            }
        }
    }

    private static AdapterNames With(AdapterNames names, Principal who, string name, string? digest = null, params string[] aliases)
    {
        AdapterManifest manifest = Versions.Create(name, 1).Manifest with
        {
            Version = names.NextVersion(name),
            Owner = names.OwnerOfNext(who, name),
            Digest = digest ?? new string('0', 64),
        };
        return names.With(who, new AdapterVersion(manifest), aliases, isPinned: false);
    }

    private static string NoPaths(AdapterManifest manifest, string path) => throw new InvalidOperationException($"{manifest.Name} has a path, {path}.");

    private AdapterNames Listed()
    {
        NamesList list = new NamesFile(_folder, TimeProvider.System).Load(NoPaths);
        Assert.Empty(list.Faults);
        return list.Names;
    }
}
