using LoraServe.Adapters;
using LoraServe.Models;
using LoraServe.Models.Forward;
using LoraServe.Serving.Options;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Store.Files;
using LoraServe.Serving.Store.Versions;

namespace LoraServe.Serving.Store.Residency;

/// <summary>Which adapters are in memory: parsed ones in a cache of their own, resident ones under one budget of bytes.</summary>
/// <remarks>
/// The counts are <see cref="ResidencyLedger"/>'s, under one lock that is never held for long: memory is freed, files are read
/// and deleted, and listeners are called outside it. What the engine's thread changes is settled by another thread, and what
/// may be called under somebody else's lock says so. Any thread may call.
/// </remarks>
internal sealed partial class AdapterMemory : IAdapterLeases, IThreadPoolWorkItem, IDisposable
{
    private readonly Lock _lock = new();
    private readonly Transformer _model;
    private readonly TimeProvider _time;
    private readonly LocalFiles _files;
    private readonly HostTier _host;
    private readonly ResidencyLedger _ledger;
    private readonly Queue<(AdapterEventType Type, AdapterVersion Version, string Detail)> _news = [];
    private bool _isTelling;
    private bool _isDisposed;
    private int _isSignalled;
    private long _toldGeneration;

    /// <param name="model">What adapters are loaded for.</param>
    /// <param name="options">Budgets, limits and how long requests wait.</param>
    /// <param name="files">What it loads from, and is told what is gone.</param>
    /// <param name="time">The clock.</param>
    public AdapterMemory(Transformer model, EngineOptions options, LocalFiles files, TimeProvider time)
    {
        _model = model;
        _time = time;
        _files = files;
        _host = new HostTier(options.HostAdapterBytes);
        _ledger = new ResidencyLedger(options.AdapterBudgetBytes, (long)(options.MaxAdapterWait.TotalSeconds * time.TimestampFrequency));
    }

    /// <summary>Told when a lease that failed might succeed now; not under the lock, like the next three.</summary>
    public Action? Changed { get; set; }

    /// <summary>Told what happened to a version, in order.</summary>
    public Action<AdapterEventType, AdapterVersion, string>? Happened { get; set; }

    /// <summary>Told of a finished load: the tier it came from and its seconds.</summary>
    public Action<AdapterTier, double>? Loaded { get; set; }

    /// <summary>Told of each use by a request: the tier in which the adapter was found.</summary>
    public Action<AdapterTier>? Used { get; set; }

    /// <summary>Bytes of resident adapters, with what they share.</summary>
    public long ResidentBytes => _ledger.ResidentBytes;

    /// <summary>Bytes of parsed adapters.</summary>
    public long HostBytes => _host.Bytes;

    /// <summary>The budget for resident adapters in bytes. A smaller one takes effect as requests end.</summary>
    public long BudgetBytes
    {
        get => _ledger.BudgetBytes;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            lock (_lock)
            {
                _ledger.SetBudget(value);
            }

            Settle();
        }
    }

    /// <inheritdoc />
    public long Generation => _ledger.Generation;

    /// <summary>Counts a request that will run on a stack; false when a version has been retired meanwhile.</summary>
    public bool AddUser(AdapterStack stack)
    {
        AdapterTier[] found = new AdapterTier[stack.Count];
        lock (_lock)
        {
            for (int i = 0; i < found.Length; i++)
            {
                found[i] = stack.Versions[i].State.Tier;
            }

            if (!_ledger.AddUser(stack, _time.GetUtcNow()))
            {
                return false;
            }
        }

        if (Used is { } used)
        {
            Array.ForEach(found, used);
        }

        Settle();
        return true;
    }

    /// <inheritdoc />
    public void RemoveUser(AdapterStack stack)
    {
        lock (_lock)
        {
            _ledger.RemoveUser(stack);
        }

        Signal();
    }

    /// <inheritdoc />
    public bool TryLease(AdapterStack stack, bool isOverdue, long arrivedAt)
    {
        if (stack.Count == 0)
        {
            return true;
        }

        bool leased;
        lock (_lock)
        {
            leased = _ledger.TryLease(stack, isOverdue, arrivedAt, _time.GetTimestamp());
        }

        Signal();
        return leased;
    }

    /// <inheritdoc />
    public void EndLease(AdapterStack stack)
    {
        if (stack.Count == 0)
        {
            return;
        }

        lock (_lock)
        {
            _ledger.EndLease(stack, _time.GetUtcNow());
        }

        Signal();
    }

    /// <summary>Refuses to pin a version that does not fit beside what is pinned. May be called under a lock.</summary>
    /// <exception cref="EngineException">It does not fit.</exception>
    public void CheckPin(AdapterVersion version)
    {
        lock (_lock)
        {
            _ledger.CheckPin(version);
        }
    }

    /// <summary>Keeps a version resident, or lets it go again. Whether it fits is checked before.</summary>
    public void Pin(AdapterVersion version, bool isPinned)
    {
        lock (_lock)
        {
            _ledger.Pin(version, isPinned);
        }

        Settle();
    }

    /// <summary>Takes the forms that publishing made, as far as there is room.</summary>
    public void Adopt(AdapterVersion version, Adapter parsed, ResidentAdapter resident, bool isPinned)
    {
        _host.Keep(version, parsed);
        lock (_lock)
        {
            version.State.Prepared = resident;
            if (isPinned)
            {
                _ledger.Pin(version, isPinned: true);
            }

            _ledger.Ask(version);
        }

        Settle();
        ResidentAdapter? unused;
        lock (_lock)
        {
            (unused, version.State.Prepared) = (version.State.Prepared, null);
            _ledger.Unneeded(version);
        }

        unused?.Dispose();
        Signal();
    }

    /// <summary>Takes a version out of service; its memory comes back when its last request ends.</summary>
    /// <remarks>May be called under a lock: another thread sees to the rest, if <see cref="Settle"/> does not come first.</remarks>
    public void Retire(AdapterVersion version, bool deleteFiles)
    {
        lock (_lock)
        {
            _ledger.Retire(version, deleteFiles);
        }

        Signal();
    }

    /// <summary>Reads what changes about a version at one moment.</summary>
    public T Read<T>(AdapterVersion version, Func<VersionState, T> read)
    {
        lock (_lock)
        {
            return read(version.State);
        }
    }

    /// <summary>Has all that follows from changes so far done, and listeners told. Must not be called under a lock.</summary>
    public void Settle()
    {
        while (_ledger.IsUnsettled)
        {
            List<AdapterVersion> evicted = [];
            List<AdapterVersion> gone = [];
            List<AdapterVersion> loads = [];
            List<ResidentAdapter> freed = [];
            lock (_lock)
            {
                if (_isDisposed)
                {
                    return;
                }

                _ledger.Settle(evicted, gone, loads);
                foreach (AdapterVersion version in evicted)
                {
                    TakeResident(version, freed);
                    _news.Enqueue((AdapterEventType.Evicted, version, ""));
                }

                gone.ForEach(version => TakeResident(version, freed));
                loads.RemoveAll(PlacePrepared);
            }

            freed.ForEach(resident => resident.Dispose());
            gone.ForEach(Forget);
            loads.ForEach(StartLoad);
        }

        Tell();
        long generation = _ledger.Generation;
        if (Interlocked.Exchange(ref _toldGeneration, generation) != generation)
        {
            Changed?.Invoke();
        }
    }

    void IThreadPoolWorkItem.Execute()
    {
        Interlocked.Exchange(ref _isSignalled, 0);
        Settle();
    }

    /// <summary>Frees everything; no request may be running.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_isDisposed)
            {
                return;
            }

            _isDisposed = true;
        }

        StopLoading();
        lock (_lock)
        {
            foreach (AdapterVersion version in _ledger.Residents)
            {
                version.State.Resident?.Dispose();
                version.State.Resident = null;
            }
        }

        _host.Dispose();
    }

    // The engine's thread does not do what its changes lead to.
    private void Signal()
    {
        if (_ledger.IsUnsettled && Interlocked.Exchange(ref _isSignalled, 1) == 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    // One thread at a time, so that who listens hears things in the order in which they happened.
    private void Tell()
    {
        while (true)
        {
            (AdapterEventType type, AdapterVersion version, string detail) news;
            lock (_lock)
            {
                if (_isTelling || !_news.TryDequeue(out news))
                {
                    return;
                }

                _isTelling = true;
            }

            try
            {
                Happened?.Invoke(news.type, news.version, news.detail);
            }
            finally
            {
                lock (_lock)
                {
                    _isTelling = false;
                }
            }
        }
    }

    private void Forget(AdapterVersion version)
    {
        _host.Drop(version);
        if (version.State.DeletesFiles)
        {
            _files.Release(version.Digest);
        }
    }

    // What publishing made needs no loading.
    private bool PlacePrepared(AdapterVersion version)
    {
        if (version.State.Prepared is not { } prepared)
        {
            return false;
        }

        version.State.Prepared = null;
        Place(version, prepared);
        return true;
    }

    private void Place(AdapterVersion version, ResidentAdapter resident)
    {
        version.State.Resident = resident;
        _ledger.Loaded(version);
        _news.Enqueue((AdapterEventType.Resident, version, ""));
    }

    private static void TakeResident(AdapterVersion version, List<ResidentAdapter> freed)
    {
        if (version.State.Resident is { } resident)
        {
            version.State.Resident = null;
            freed.Add(resident);
        }
    }
}
