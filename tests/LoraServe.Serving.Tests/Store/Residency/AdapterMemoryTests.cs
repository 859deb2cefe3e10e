using System.Collections.Concurrent;
using LoraServe.Adapters;
using LoraServe.Adapters.Loading;
using LoraServe.Models;
using LoraServe.Models.Forward;
using LoraServe.Serving.Options;
using LoraServe.Serving.Store.Files;
using LoraServe.Serving.Store.Residency;
using LoraServe.Serving.Store.Versions;
using LoraServe.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoraServe.Serving.Tests.Store.Residency;

public sealed class AdapterMemoryTests : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly string _folder = Directory.CreateTempSubdirectory("loraserve-").FullName;
    private readonly Transformer _model = TinyModel.Create(seed: 1);
    private readonly long _bytesBefore = EngineHarness.AllocatedBytes();
    private readonly StoreFolder _store;
    private readonly LocalFiles _files;
    private readonly BlockingCollection<(AdapterEventType Type, string Name, int Thread)> _happened = [];
    private readonly AdapterMemory _memory;

    public AdapterMemoryTests()
    {
        _store = new StoreFolder(Path.Combine(_folder, "store"));
        _files = new LocalFiles(_store, _model, new AdapterLimits(), NullLogger.Instance);
        _memory = new AdapterMemory(_model, new EngineOptions { AdapterBudgetBytes = 0 }, _files, new SleepersTime())
        {
            Happened = (type, version, _) => _happened.Add((type, version.Manifest.Name, Environment.CurrentManagedThreadId)),
        };
    }

    [Fact]
    public void Listeners_AreCalledOutsideTheLock()
    {
        AdapterVersion version = Version("a", 1);
        List<string> called = [];
        _memory.Happened = (type, _, _) => Note($"{type}");
        _memory.Changed = () => Note("Changed");
        _memory.Used = tier => Note($"Used {tier}");
        var isLoaded = new ManualResetEventSlim();
        _memory.Loaded = (_, _) =>
        {
            Note("Loaded");
            isLoaded.Set();
        };
        _memory.BudgetBytes = version.ResidentBytes;
        AdapterStack stack = Versions.Stack(version);
        Assert.True(_memory.AddUser(stack));
        Assert.True(isLoaded.Wait(s_patience));
        _memory.RemoveUser(stack);
        _memory.BudgetBytes = 0;
        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                lock (called)
                {
                    return called.Contains($"{AdapterEventType.Evicted}");
                }
            },
            s_patience));
        Assert.Equal(["Changed", "Evicted", "Loaded", "Resident", "Used Disk"], called.Distinct().Order(StringComparer.Ordinal));

        // Another thread gets at the memory meanwhile, so this one does not hold its lock.
        void Note(string what)
        {
            Assert.True(Task.Run(() => _memory.Read(version, state => state.Users)).Wait(s_patience), what);
            lock (called)
            {
                called.Add(what);
            }
        }
    }

    [Fact]
    public void EndLease_OnTheEnginesThread_LeavesEvictingAndDeletingToOthers()
    {
        AdapterVersion version = Version("a", 1);
        AdapterVersion other = Version("b", 2);
        _memory.BudgetBytes = version.ResidentBytes;
        AdapterStack stack = Versions.Stack(version);
        AdapterStack waiting = Versions.Stack(other);
        _memory.AddUser(stack);
        Next(AdapterEventType.Resident, "a");
        int engine = 0;
        var thread = new Thread(() =>
        {
            engine = Environment.CurrentManagedThreadId;
            Assert.True(_memory.TryLease(stack, isOverdue: false, 0));
            _memory.AddUser(waiting);
            Assert.False(_memory.TryLease(waiting, isOverdue: true, 0));
            _memory.Retire(version, deleteFiles: true);
            _memory.EndLease(stack);
            _memory.RemoveUser(stack);
        });
        thread.Start();
        thread.Join();
        int evictor = Next(AdapterEventType.Resident, "b", skip: AdapterEventType.Evicted);
        Assert.NotEqual(engine, evictor);
        Assert.True(_memory.TryLease(waiting, isOverdue: true, 0));
        _memory.EndLease(waiting);
        _memory.RemoveUser(waiting);
        _memory.Settle();
        _files.Dispose();
        Assert.False(_files.IsThere(version.Digest, out _));
        Assert.True(_files.IsThere(other.Digest, out _));
    }

    [Fact]
    public void Adopt_NoRoomOrRetiredMeanwhile_KeepsNothing()
    {
        AdapterVersion tooLarge = Version("a", 1);
        Adopt(tooLarge);
        Assert.Equal((AdapterTier.Host, 0L), (_memory.Read(tooLarge, state => state.Tier), _memory.ResidentBytes));
        AdapterVersion retired = Version("b", 2);
        _memory.BudgetBytes = retired.ResidentBytes;
        _memory.Retire(retired, deleteFiles: false);
        Adopt(retired);
        Assert.Equal(AdapterTier.Disk, _memory.Read(retired, state => state.Tier));
        Assert.Equal(0, _memory.ResidentBytes);
    }

    [Fact]
    public void Dispose_WhileLoading_WaitsForWhatHasBegunAndFreesAll()
    {
        AdapterVersion[] versions = [.. Enumerable.Range(0, 12).Select(i => Version($"a{i}", i))];
        _memory.BudgetBytes = 1 << 30;
        Array.ForEach(versions, version => _memory.AddUser(Versions.Stack(version)));
        _memory.Dispose();
        Assert.Equal(_bytesBefore, EngineHarness.AllocatedBytes());
    }

    public void Dispose()
    {
        _memory.Dispose();
        _files.Dispose();
        _store.Dispose();
        _model.Dispose();
        _happened.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private AdapterVersion Version(string name, int seed)
    {
        string path = TinyAdapters.Write(_files.NewUpload(), seed);
        Adapter parsed = AdapterLoader.Load(path, _model, new AdapterLimits());
        using ResidentAdapter resident = _model.Place(parsed);
        _files.Put(parsed.Digest, path);
        return new AdapterVersion(Versions.Create(name, resident.ByteLength).Manifest with { Digest = parsed.Digest });
    }

    private void Adopt(AdapterVersion version)
    {
        Adapter parsed = _files.Open(version.Digest, "");
        _memory.Adopt(version, parsed, _model.Place(parsed), isPinned: false);
    }

    private int Next(AdapterEventType type, string name, AdapterEventType? skip = null)
    {
        while (true)
        {
            Assert.True(_happened.TryTake(out (AdapterEventType Type, string Name, int Thread) next, s_patience), $"{name} is not {type}.");
            if (next.Type != skip)
            {
                Assert.Equal((type, name), (next.Type, next.Name));
                return next.Thread;
            }
        }
    }
}
