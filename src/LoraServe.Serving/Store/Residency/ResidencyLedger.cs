using System.Runtime.InteropServices;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Store.Versions;

namespace LoraServe.Serving.Store.Residency;

/// <summary>Who uses which adapter version, and what is in memory: the counts that <see cref="ResidencyPolicy"/> decides on, and its decisions applied to them.</summary>
/// <remarks>Not synchronised. It loads and frees nothing itself: whoever settles it does, and tells when a load has ended. Nothing here allocates once lists have grown.</remarks>
/// <param name="budgetBytes">Memory for resident adapters.</param>
/// <param name="turnTicks">How long a request may leave adapters unused that are there for it since it was its turn, in ticks of the caller's clock.</param>
internal sealed class ResidencyLedger(long budgetBytes, long turnTicks)
{
    private const int StepsAtOnce = 32;

    private readonly LinkedList<AdapterVersion> _residents = []; // the least recently used first
    private readonly LinkedList<AdapterVersion> _asked = []; // who asked first first
    private readonly HashSet<AdapterVersion> _pinned = [];
    private readonly List<AdapterVersion> _gone = [];
    private readonly MemoryAccount _resident = new();
    private readonly MemoryAccount _taken = new(); // with what is loading
    private readonly MemoryAccount _trial = new();
    private readonly List<ResidencyEntry> _residentEntries = [];
    private readonly List<ResidencyEntry> _askedEntries = [];
    private long _budget = budgetBytes;
    private long _generation;
    private AdapterStack? _turn;
    private long? _turnReadyAt;

    /// <summary>Bytes of what is resident. This and the next two may be read by any thread.</summary>
    public long ResidentBytes => _resident.Bytes;

    /// <summary>Bytes that resident and loading adapters may take.</summary>
    public long BudgetBytes => Interlocked.Read(ref _budget);

    /// <summary>Grows whenever a lease that failed might succeed now.</summary>
    public long Generation => Interlocked.Read(ref _generation);

    /// <summary>All that is resident.</summary>
    public IEnumerable<AdapterVersion> Residents => _residents;

    /// <summary>Whether something has changed that <see cref="Settle"/> may have to act on.</summary>
    public bool IsUnsettled { get; private set; }

    /// <summary>Changes the budget.</summary>
    public void SetBudget(long bytes)
    {
        Interlocked.Exchange(ref _budget, bytes);
        Change();
    }

    /// <summary>Counts a request that will run on a stack; false when a version has been retired meanwhile.</summary>
    public bool AddUser(AdapterStack stack, DateTimeOffset now)
    {
        foreach (AdapterVersion version in stack.Versions)
        {
            if (version.State.IsRetired)
            {
                return false;
            }
        }

        foreach (AdapterVersion version in stack.Versions)
        {
            VersionState state = version.State;
            state.Users++;
            state.LastUsedAt = now;
            Touch(state);
            _ = state.IsResident ? state.Hits++ : state.Misses++;
            Ask(version); // before its turn comes, if nobody needs the room
        }

        return true;
    }

    /// <summary>Counts a request that has ended.</summary>
    public void RemoveUser(AdapterStack stack)
    {
        foreach (AdapterVersion version in stack.Versions)
        {
            version.State.Users--;
            Unneeded(version);
        }

        if (stack == _turn)
        {
            EndTurn();
        }
    }

    /// <summary>Holds all adapters of a stack resident if they are; else asks for them and says false.</summary>
    /// <param name="stack">The adapters.</param>
    /// <param name="isOverdue">Whether the request has waited so long that others must give up their room.</param>
    /// <param name="arrivedAt">Timestamp of the request's arrival: it is not failed by what failed before.</param>
    /// <param name="now">Timestamp of now.</param>
    /// <exception cref="EngineException">They cannot become resident.</exception>
    public bool TryLease(AdapterStack stack, bool isOverdue, long arrivedAt, long now)
    {
        foreach (AdapterVersion version in stack.Versions)
        {
            if (version.State.Failure is { } failure && failure.At >= arrivedAt)
            {
                throw failure.Reason;
            }
        }

        if (IsReady(stack))
        {
            foreach (AdapterVersion version in stack.Versions)
            {
                version.State.Leases++;
                Touch(version.State);
            }

            if (stack == _turn)
            {
                EndTurn();
            }

            return true;
        }

        CheckFits(stack);
        foreach (AdapterVersion version in stack.Versions)
        {
            Ask(version);
        }

        if (isOverdue && stack != _turn && (_turn is null || IsForfeited(_turn, now)))
        {
            EndTurn();
            BeginTurn(stack);
        }

        return false;
    }

    /// <summary>Gives back what <see cref="TryLease"/> held.</summary>
    public void EndLease(AdapterStack stack, DateTimeOffset now)
    {
        foreach (AdapterVersion version in stack.Versions)
        {
            version.State.Leases--;
            version.State.LastUsedAt = now;
            Touch(version.State);
        }

        IsUnsettled |= _asked.Count > 0 || _taken.Bytes > _budget;
        if (_turn is not null)
        {
            Interlocked.Increment(ref _generation); // others may ask whether it is still its turn
        }
    }

    /// <summary>Asks for a version that is to be resident, whether or not there are requests for it.</summary>
    public void Ask(AdapterVersion version)
    {
        VersionState state = version.State;
        if (!state.IsResident && !state.IsLoading && !state.IsAsked)
        {
            state.IsAsked = true;
            _asked.AddLast(state.Node);
            IsUnsettled = true;
        }
    }

    /// <summary>Asks no longer for a version that nobody needs.</summary>
    public void Unneeded(AdapterVersion version)
    {
        VersionState state = version.State;
        if (state.Users > 0)
        {
            return;
        }

        if (state.IsAsked && !state.IsPinned)
        {
            Unask(state);
        }

        if (state.IsRetired && !state.IsLoading && !_gone.Contains(version))
        {
            _gone.Add(version);
        }

        IsUnsettled |= _gone.Count > 0 || _asked.Count > 0 || _taken.Bytes > _budget;
    }

    /// <summary>Refuses to pin a version that does not fit beside what is pinned.</summary>
    /// <exception cref="EngineException">It does not fit.</exception>
    public void CheckPin(AdapterVersion version)
    {
        long pinned = Together(AdapterStack.Empty, version);
        _trial.Add(version);
        if (_trial.Bytes > _budget)
        {
            long own = _trial.Bytes - pinned;
            throw TooLarge($"'{version}' cannot be pinned: it takes {own} bytes and pinned adapters {pinned}", version);
        }
    }

    /// <summary>Keeps a version resident, or lets it go again. One that is out of service is not kept.</summary>
    public void Pin(AdapterVersion version, bool isPinned)
    {
        version.State.IsPinned = isPinned && !version.State.IsRetired;
        if (version.State.IsPinned)
        {
            _pinned.Add(version);
            Ask(version);
        }
        else
        {
            _pinned.Remove(version);
            Unneeded(version);
        }

        Change();
    }

    /// <summary>Takes a version out of service; it goes when its last request ends.</summary>
    public void Retire(AdapterVersion version, bool deleteFiles)
    {
        version.State.IsRetired = true;
        version.State.DeletesFiles = deleteFiles;
        version.State.IsPinned = false;
        _pinned.Remove(version);
        Unneeded(version);
        Change();
    }

    /// <summary>Has the policy decide, and applies what it decides.</summary>
    /// <param name="evicted">Gets what is resident no longer, because others needed the room.</param>
    /// <param name="gone">Gets what is retired and not used any more.</param>
    /// <param name="loads">Gets what is loading from now on.</param>
    /// <remarks>After many steps it stays unsettled, so that whoever holds a lock can let others in between.</remarks>
    public void Settle(List<AdapterVersion> evicted, List<AdapterVersion> gone, List<AdapterVersion> loads)
    {
        if (_turn is not null && Together(_turn, null) > _budget)
        {
            EndTurn(); // the budget is smaller since, or more is pinned: it will be refused
        }

        foreach (AdapterVersion version in _gone)
        {
            Leave(version.State);
            gone.Add(version);
        }

        _gone.Clear();
        bool pinsFit = Together(AdapterStack.Empty, null) <= _budget;
        for (int i = 0; i < StepsAtOnce; i++)
        {
            long idle = List(pinsFit);
            ReadOnlySpan<ResidencyEntry> residents = CollectionsMarshal.AsSpan(_residentEntries);
            (ResidencyStep step, int index) = ResidencyPolicy.Next(_budget - _taken.Bytes, idle, residents, CollectionsMarshal.AsSpan(_askedEntries));
            switch (step)
            {
                case ResidencyStep.None:
                    IsUnsettled = false;
                    return;
                case ResidencyStep.Load:
                    AdapterVersion next = At(_asked, index);
                    Unask(next.State);
                    next.State.IsLoading = true;
                    _taken.Add(next);
                    loads.Add(next);
                    break;
                case ResidencyStep.Evict:
                    AdapterVersion old = At(_residents, index);
                    Leave(old.State);
                    evicted.Add(old);
                    Interlocked.Increment(ref _generation); // who waits for it has to ask
                    break;
                case ResidencyStep.Drain:
                    At(_residents, index).State.IsDraining = true;
                    break;
                case ResidencyStep.Resume:
                    At(_residents, index).State.IsDraining = false;
                    Interlocked.Increment(ref _generation);
                    break;
            }
        }
    }

    /// <summary>Notes that a load has succeeded.</summary>
    public void Loaded(AdapterVersion version)
    {
        VersionState state = version.State;
        state.IsLoading = false;
        state.IsResident = true;
        state.Failure = null;
        _resident.Add(version);
        _residents.AddLast(state.Node);
        Unneeded(version);
        Change();
    }

    /// <summary>Notes that a load has failed: requests that came before are told so, the next one tries again.</summary>
    public void LoadFailed(AdapterVersion version, EngineException reason, long now)
    {
        version.State.IsLoading = false;
        version.State.Failure = (reason, now);
        _taken.Remove(version);
        Unneeded(version);
        Change();
    }

    /// <summary>Whether everything is counted right; for tests.</summary>
    internal void CheckIntegrity()
    {
        _trial.Clear();
        foreach (AdapterVersion version in _residents)
        {
            _trial.Add(version);
            VersionState state = version.State;
            Check(state is { IsResident: true, IsLoading: false, IsAsked: false } && state.Users >= state.Leases, $"{version} is resident");
        }

        Check(_trial.Bytes == _resident.Bytes, $"{_trial.Bytes} bytes are resident, counted {_resident.Bytes}");
        foreach (AdapterVersion version in _asked)
        {
            Check(version.State is { IsResident: false, IsLoading: false, IsAsked: true, Leases: 0 }, $"{version} is asked for");
        }

        static void Check(bool condition, string what)
        {
            if (!condition)
            {
                throw new InvalidOperationException($"{what}, and that does not add up.");
            }
        }
    }

    private static EngineException TooLarge(string what, AdapterVersion version) =>
        new(EngineError.AdapterTooLarge, $"{what}, more than the budget for resident adapters. Raise the budget, unpin adapters, or use one of a smaller rank than {version.Manifest.MaximumRank}.");

    private static bool IsReady(AdapterStack stack)
    {
        foreach (AdapterVersion version in stack.Versions)
        {
            if (!version.State.IsResident || version.State.IsDraining)
            {
                return false;
            }
        }

        return true;
    }

    private static AdapterVersion At(LinkedList<AdapterVersion> versions, int index)
    {
        LinkedListNode<AdapterVersion> node = versions.First!;
        for (; index > 0; index--)
        {
            node = node.Next!;
        }

        return node.Value;
    }

    private void CheckFits(AdapterStack stack)
    {
        long together = Together(stack, null);
        if (together > _budget)
        {
            long pinned = Together(AdapterStack.Empty, null);
            throw TooLarge($"The request's adapters take {together - pinned} bytes and pinned ones {pinned}, the budget is {_budget}: {together} bytes", stack.Versions[0]);
        }
    }

    // Bytes of a stack and of all that is pinned, as if nothing else were resident. What could not be loaded when it was
    // pinned takes no room.
    private long Together(AdapterStack stack, AdapterVersion? without)
    {
        _trial.Clear();
        foreach (AdapterVersion version in _pinned)
        {
            if (version != without && !stack.Contains(version) && version.State is { IsResident: true } or { IsLoading: true } or { IsAsked: true })
            {
                _trial.Add(version);
            }
        }

        for (int i = 0; i < stack.Count; i++)
        {
            if (stack.IndexOf(stack.Versions[i]) == i)
            {
                _trial.Add(stack.Versions[i]);
            }
        }

        return _trial.Bytes;
    }

    // Describes the state to the policy; returns the bytes of what is idle, with what only idle adapters share.
    private long List(bool pinsFit)
    {
        _residentEntries.Clear();
        _askedEntries.Clear();
        _trial.Clear();
        foreach (AdapterVersion version in _residents)
        {
            VersionState state = version.State;
            var entry = new ResidencyEntry(version.ResidentBytes, state.IsInTurn, state.IsPinned, state.Leases > 0, state.Users > 0, state.IsDraining);
            _residentEntries.Add(entry);
            if (entry.IsIdle)
            {
                _trial.Add(version);
            }
        }

        foreach (AdapterVersion version in _asked)
        {
            VersionState state = version.State;
            _askedEntries.Add(new ResidencyEntry(_taken.Cost(version), state.IsInTurn || (state.IsPinned && pinsFit), state.IsPinned, false, state.Users > 0, false));
        }

        return _taken.BytesOf(_trial);
    }

    private void Leave(VersionState state)
    {
        if (state.IsResident)
        {
            AdapterVersion version = state.Node.Value;
            state.IsResident = false;
            state.IsDraining = false;
            _residents.Remove(state.Node);
            _resident.Remove(version);
            _taken.Remove(version);
        }
    }

    private void Unask(VersionState state)
    {
        state.IsAsked = false;
        _asked.Remove(state.Node);
    }

    private void Touch(VersionState state)
    {
        if (state.IsResident)
        {
            _residents.Remove(state.Node);
            _residents.AddLast(state.Node);
        }
    }

    private void BeginTurn(AdapterStack stack)
    {
        _turn = stack;
        _turnReadyAt = null;
        SetInTurn(stack, true);
        IsUnsettled = true;
    }

    private void EndTurn()
    {
        if (_turn is not null)
        {
            SetInTurn(_turn, false);
            _turn = null;
            Change();
        }
    }

    private static void SetInTurn(AdapterStack stack, bool isInTurn)
    {
        foreach (AdapterVersion version in stack.Versions)
        {
            version.State.IsInTurn = isInTurn;
        }
    }

    // Whoever has the turn keeps it until it runs, but if others come first wherever it waits otherwise, it may never run.
    private bool IsForfeited(AdapterStack turn, long now)
    {
        _turnReadyAt = IsReady(turn) ? _turnReadyAt ?? now : null;
        return now - _turnReadyAt > turnTicks;
    }

    private void Change()
    {
        Interlocked.Increment(ref _generation);
        IsUnsettled = true;
    }
}
