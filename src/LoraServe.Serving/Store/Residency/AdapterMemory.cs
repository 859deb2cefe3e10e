using LoraServe.Adapters;
using LoraServe.Adapters.Resident;

namespace LoraServe.Serving.Store.Residency;

/// <summary>Which adapters are in memory: parsed ones in a cache of their own, resident ones under one budget of bytes.</summary>
/// <remarks>
/// Room for an adapter is made in this order. 1. Resident adapters that no request runs on or waits for go, the least
/// recently used first. 2. Once a request has waited too long, also those that others only wait for. 3. Then those that
/// run take no new requests until they are free. So requests for what is resident are served together before anything is
/// evicted that they need, and nobody waits forever.
/// </remarks>
internal sealed partial class AdapterMemory : IAdapterLeases, IDisposable
{
    private const int ConcurrentLoads = 4;

    private readonly Lock _lock = new();
    private readonly IBaseModel _model;
    private readonly AdapterLimits _limits;
    private readonly TimeProvider _time;
    private readonly HostTier _host;
    private readonly SemaphoreSlim _loads = new(ConcurrentLoads);
    private readonly HashSet<AdapterVersion> _resident = [];
    private SharedParts _shared = new();
    private long _ownBytes;
    private long _budget;
    private long _reserved;
    private long _lastUse;
    private AdapterVersion? _beneficiary;
    private bool _isDisposed;

    public AdapterMemory(IBaseModel model, AdapterLimits limits, long budgetBytes, long hostBytes, TimeProvider time)
    {
        _model = model;
        _limits = limits;
        _budget = budgetBytes;
        _time = time;
        _host = new HostTier(hostBytes);
    }

    /// <summary>Told when a lease that failed might succeed now.</summary>
    public Action? Changed { get; set; }

    /// <summary>Told what happened to a version; called outside the lock.</summary>
    public Action<AdapterEventType, AdapterVersion, string>? Happened { get; set; }

    /// <summary>Told of a finished load: the tier it came from and its seconds.</summary>
    public Action<AdapterTier, double>? Loaded { get; set; }

    /// <summary>Told of each use by a request: the tier in which the adapter was found.</summary>
    public Action<AdapterTier>? Used { get; set; }

    /// <summary>Bytes of resident adapters, with what they share.</summary>
    public long ResidentBytes => _ownBytes + _shared.ByteLength;

    /// <summary>Bytes of parsed adapters.</summary>
    public long HostBytes => _host.Bytes;

    /// <summary>The budget for resident adapters in bytes. A smaller one takes effect as requests end.</summary>
    public long BudgetBytes
    {
        get => Interlocked.Read(ref _budget);
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            List<AdapterVersion> evicted = [];
            lock (_lock)
            {
                Interlocked.Exchange(ref _budget, value);
                Shrink(evicted);
            }

            Tell(evicted);
            Changed?.Invoke();
        }
    }

    /// <summary>Counts a request that will run on a stack; false when a version has been retired meanwhile.</summary>
    public bool AddUser(AdapterStack stack)
    {
        List<AdapterVersion> evicted = [];
        lock (_lock)
        {
            foreach ((AdapterVersion version, _) in stack.Parts)
            {
                if (version.IsRetired)
                {
                    return false;
                }
            }

            foreach ((AdapterVersion version, _) in stack.Parts)
            {
                version.Users++;
                Touch(version);
                Used?.Invoke(version.Tier);
                if (version.Resident is not null)
                {
                    version.Hits++;
                    continue;
                }

                version.Misses++;
                if (!version.IsLoading && MakeRoom(version, stack, isOverdue: false, evicted))
                {
                    StartLoad(version); // before its turn comes, if nobody needs the room
                }
            }
        }

        Tell(evicted);
        return true;
    }

    /// <summary>Counts a request that has ended.</summary>
    public void RemoveUser(AdapterStack stack)
    {
        List<AdapterVersion> evicted = [];
        lock (_lock)
        {
            foreach ((AdapterVersion version, _) in stack.Parts)
            {
                version.Users--;
                if (version.Users == 0 && version == _beneficiary)
                {
                    StopDraining();
                }

                DropIfRetired(version);
            }

            Shrink(evicted);
        }

        Tell(evicted);
    }

    /// <inheritdoc />
    public bool TryLease(AdapterStack stack, bool isOverdue, long arrivedAt)
    {
        if (stack.Count == 0)
        {
            return true;
        }

        List<AdapterVersion> evicted = [];
        bool leased;
        lock (_lock)
        {
            leased = TryLeaseLocked(stack, isOverdue, arrivedAt, evicted);
        }

        Tell(evicted);
        return leased;
    }

    /// <inheritdoc />
    public void EndLease(AdapterStack stack)
    {
        if (stack.Count == 0)
        {
            return;
        }

        List<AdapterVersion> evicted = [];
        lock (_lock)
        {
            foreach ((AdapterVersion version, _) in stack.Parts)
            {
                version.Leases--;
                Touch(version);
                if (version.Leases == 0 && version.IsDraining)
                {
                    Evict(version, evicted);
                }
            }

            Shrink(evicted);
            if (_beneficiary is { } next && Free(next) >= Cost(next))
            {
                StartLoad(next);
            }
        }

        Tell(evicted);
        Changed?.Invoke();
    }

    /// <summary>Takes the forms that publishing made, as far as there is room.</summary>
    public void Adopt(AdapterVersion version, Adapter parsed, ResidentAdapter resident)
    {
        List<AdapterVersion> evicted = [];
        bool isResident;
        lock (_lock)
        {
            if (version.IsPinned)
            {
                CheckPin(version);
            }

            KeepInHost(version, parsed);
            isResident = MakeRoom(version, AdapterStack.Empty, version.IsPinned, evicted);
            if (isResident)
            {
                Place(version, resident);
            }
        }

        Tell(evicted);
        if (isResident)
        {
            Happened?.Invoke(AdapterEventType.Resident, version, "");
            Changed?.Invoke();
        }
        else
        {
            resident.Dispose();
        }
    }

    /// <summary>Keeps a version resident, or lets it go again.</summary>
    public void Pin(AdapterVersion version, bool isPinned)
    {
        List<AdapterVersion> evicted = [];
        lock (_lock)
        {
            if (isPinned)
            {
                CheckPin(version);
            }

            version.IsPinned = isPinned;
            if (isPinned && version.Resident is null && !version.IsLoading && MakeRoom(version, AdapterStack.Empty, isOverdue: true, evicted))
            {
                StartLoad(version);
            }

            Shrink(evicted);
        }

        Tell(evicted);
    }

    /// <summary>Takes a version out of service; its memory comes back when its last request ends.</summary>
    public void Retire(AdapterVersion version, bool deleteFiles)
    {
        lock (_lock)
        {
            version.IsRetired = true;
            version.DeletesFiles = deleteFiles;
            version.IsPinned = false;
            if (version.Users == 0 && version == _beneficiary)
            {
                StopDraining();
            }

            DropIfRetired(version);
        }
    }

    /// <summary>Reads what changes about a version at one moment.</summary>
    public T Read<T>(AdapterVersion version, Func<AdapterVersion, T> read)
    {
        lock (_lock)
        {
            return read(version);
        }
    }

    /// <summary>Frees everything; no request may be running.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _isDisposed = true;
            foreach (AdapterVersion version in _resident)
            {
                version.Resident!.Dispose();
                version.Resident = null;
            }

            _resident.Clear();
            _ownBytes = 0;
            _shared = new SharedParts();
        }

        _host.Dispose();
    }

    private static EngineException TooLarge(string what, AdapterVersion version) =>
        new(EngineError.AdapterTooLarge, $"{what}, more than the budget for resident adapters. Raise the budget, unpin adapters, or use one of a smaller rank than {version.Manifest.MaximumRank}.");

    private void CheckPin(AdapterVersion version)
    {
        AdapterVersion[] pinned = [.. _resident.Where(other => other.IsPinned && other != version)];
        if (SharedParts.Together([.. pinned, version]) > _budget)
        {
            throw TooLarge($"'{version}' cannot be pinned: it takes {SharedParts.Together([version])} bytes and pinned adapters {SharedParts.Together(pinned)}", version);
        }
    }

    private bool TryLeaseLocked(AdapterStack stack, bool isOverdue, long arrivedAt, List<AdapterVersion> evicted)
    {
        bool isReady = true;
        foreach ((AdapterVersion version, _) in stack.Parts)
        {
            if (version.Failure is { } failure && failure.At >= arrivedAt)
            {
                throw failure.Reason;
            }

            isReady &= version.Resident is not null && !version.IsDraining;
        }

        if (isReady)
        {
            foreach ((AdapterVersion version, _) in stack.Parts)
            {
                version.Leases++;
                Touch(version);
            }

            return true;
        }

        AdapterVersion[] needed = [.. stack.Parts.ToArray().Select(part => part.Version).Distinct()];
        AdapterVersion[] pinned = [.. _resident.Where(other => other.IsPinned && !stack.Contains(other))];
        long together = SharedParts.Together([.. needed, .. pinned]);
        if (together > _budget)
        {
            throw TooLarge(
                $"The request's adapters take {SharedParts.Together(needed)} bytes and pinned ones {SharedParts.Together(pinned)}, the budget is {_budget}: {together} bytes",
                stack[0].Version);
        }

        foreach ((AdapterVersion version, _) in stack.Parts)
        {
            if (version.Resident is null && !version.IsLoading && MakeRoom(version, stack, isOverdue, evicted))
            {
                StartLoad(version);
            }
        }

        return false;
    }

    // Whether there is room for the version now, after evicting what may be evicted.
    private bool MakeRoom(AdapterVersion version, AdapterStack stack, bool isOverdue, List<AdapterVersion> evicted)
    {
        if (Missing() <= 0)
        {
            return true;
        }

        if (isOverdue && _beneficiary is not null && _beneficiary != version)
        {
            return false; // one at a time, the first who asked: else two could take turns evicting each other's adapters
        }

        AdapterVersion[] idle =
        [
            .. _resident.Where(other => other.Leases == 0 && (isOverdue || other.Users == 0) && CanGo(other))
                .OrderBy(other => other.Users > 0).ThenBy(other => other.LastUse),
        ];
        if (!isOverdue && idle.Sum(other => other.ResidentBytes) < Missing())
        {
            return false;
        }

        foreach (AdapterVersion other in idle)
        {
            if (Missing() > 0)
            {
                Evict(other, evicted);
            }
        }

        long missing = Missing();
        if (missing <= 0)
        {
            return true;
        }

        _beneficiary = version;
        foreach (AdapterVersion other in _resident.Where(other => other.Leases > 0 && CanGo(other)).OrderBy(other => other.LastUse))
        {
            if (missing > 0)
            {
                missing -= other.ResidentBytes;
                other.IsDraining = true;
            }
        }

        return false;

        long Missing() => Cost(version) - Free(version);

        bool CanGo(AdapterVersion other) => !other.IsPinned && other != version && !stack.Contains(other);
    }

    private long Free(AdapterVersion forWhom) =>
        _budget - ResidentBytes - _reserved - (_beneficiary is { IsLoading: false } other && other != forWhom ? Cost(other) : 0);

    /// <summary>Bytes that would come with a version now.</summary>
    private long Cost(AdapterVersion version) => version.ResidentBytes + _shared.Missing(version);

    private void Place(AdapterVersion version, ResidentAdapter resident)
    {
        version.Resident = resident;
        _resident.Add(version);
        _ownBytes += version.ResidentBytes;
        _shared.Add(version);
        Touch(version);
    }

    private void Evict(AdapterVersion version, List<AdapterVersion> evicted)
    {
        Remove(version);
        evicted.Add(version);
    }

    private void Remove(AdapterVersion version)
    {
        version.Resident!.Dispose();
        version.Resident = null;
        version.IsDraining = false;
        _resident.Remove(version);
        _ownBytes -= version.ResidentBytes;
        _shared.Remove(version);
    }

    // Evicts what is free until the budget holds; it may be exceeded only since it was made smaller, or since whoever shared
    // something with an adapter went while that was loading.
    private void Shrink(List<AdapterVersion> evicted)
    {
        if (ResidentBytes + _reserved <= _budget)
        {
            return;
        }

        foreach (AdapterVersion version in _resident.Where(version => version.Leases == 0 && !version.IsPinned).OrderBy(version => version.Users > 0).ThenBy(version => version.LastUse).ToArray())
        {
            if (ResidentBytes + _reserved > _budget)
            {
                Evict(version, evicted);
            }
        }
    }

    private void DropIfRetired(AdapterVersion version)
    {
        if (!version.IsRetired || version.Users > 0 || version.IsLoading)
        {
            return;
        }

        if (version.Resident is not null)
        {
            Remove(version);
        }

        _host.Drop(version);
        if (version.DeletesFiles)
        {
            version.DeletesFiles = false;
            DeleteFiles(version.Manifest.Path);
        }
    }

    private static void DeleteFiles(string path)
    {
        try
        {
            Directory.Delete(path, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Nobody can load them any more; what is left takes disk space only.
        }
    }

    private void StopDraining()
    {
        _beneficiary = null;
        foreach (AdapterVersion version in _resident)
        {
            version.IsDraining = false;
        }
    }

    private void Touch(AdapterVersion version)
    {
        version.LastUse = ++_lastUse;
        version.LastUsedAt = _time.GetUtcNow();
    }

    private void Tell(List<AdapterVersion> evicted)
    {
        foreach (AdapterVersion version in evicted)
        {
            Happened?.Invoke(AdapterEventType.Evicted, version, "");
        }
    }
}
