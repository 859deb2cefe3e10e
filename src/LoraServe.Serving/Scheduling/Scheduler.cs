using LoraServe.Models.Forward;
using LoraServe.Serving.Cache;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Store.Versions;

namespace LoraServe.Serving.Scheduling;

/// <summary>Decides who runs in a step and who waits, and keeps the pages. Computes nothing and writes to no stream. Owned by the loop's thread.</summary>
internal sealed class Scheduler
{
    private readonly SchedulerLimits _limits;
    private readonly IAdapterLeases _leases;
    private readonly FairQueue _waiting;
    private readonly List<Sequence> _running = [];
    private readonly PrefixCache _prefixes;
    private readonly PageTable _pages;
    private long _lastOrder;
    private int _places;

    public Scheduler(SchedulerLimits limits, IAdapterLeases leases, IReadOnlyDictionary<string, double> tenantWeights, int pageCount, bool prefixCache)
    {
        _limits = limits;
        _leases = leases;
        _waiting = new FairQueue(tenantWeights);
        _prefixes = new PrefixCache(pageCount, KvPage.Tokens, prefixCache);
        _pages = new PageTable(pageCount, _prefixes);
    }

    /// <summary>Sequences that take part in steps.</summary>
    public IReadOnlyList<Sequence> Running => _running;

    public FairQueue Waiting => _waiting;

    public PageTable Pages => _pages;

    /// <summary>Sequences that lost their pages so far.</summary>
    public long Preemptions { get; private set; }

    /// <summary>Told when a request begins to run: it no longer waits.</summary>
    public Action<Submission>? Admitted { get; init; }

    /// <summary>Told when a request cannot run.</summary>
    public required Action<Submission, Exception> Refused { get; init; }

    /// <summary>Queues a request's sequences.</summary>
    public void Add(Submission submission)
    {
        submission.State.Tenant = _waiting.Activate(submission.Options.Tenant);
        foreach (Sequence sequence in submission.Sequences)
        {
            sequence.Order = ++_lastOrder;
            _waiting.Add(sequence);
        }
    }

    /// <summary>Decides what the next step does.</summary>
    /// <param name="plan">Gets the decision.</param>
    /// <param name="now">Timestamp of now, on the clock of <see cref="Submission.ArrivedAt"/>.</param>
    public void Plan(StepPlan plan, long now)
    {
        // There is no prefill phase and no decode phase: each sequence has known tokens and cached tokens, and a step
        // computes some of the difference. Sequences with a single pending token come first, since someone reads along.
        plan.Clear();
        foreach (Sequence sequence in _running)
        {
            TurnAnewWhereLonger(sequence);
        }

        var budget = new Budget(_limits.Rows, _limits.LogitRows);
        PlanRunning(plan, ref budget, single: true);
        PlanRunning(plan, ref budget, single: false);
        Admit(plan, ref budget, now);
        plan.Build();
    }

    /// <summary>Ticks until a request that waits for its adapters becomes overdue; null for one that does not wait or is overdue.</summary>
    public long? UntilOverdue(Submission submission, long now) =>
        submission.State.IsLeased || IsOverdue(submission, now) ? null : submission.ArrivedAt + _limits.AdapterWaitTicks + 1 - now;

    /// <summary>Notes that a step computed an entry: its tokens are in the cache, and full pages can be found by others.</summary>
    public void Advance(in StepEntry entry)
    {
        Sequence sequence = entry.Sequence;
        sequence.CachedTokens += entry.Chunk.Rows;
        while ((sequence.NotedPages + 1) * KvPage.Tokens <= sequence.CachedTokens)
        {
            int start = sequence.NotedPages * KvPage.Tokens;
            foreach (PassPages pass in sequence.Passes)
            {
                pass.PrefixNode = _prefixes.Add(
                    pass.Pages[sequence.NotedPages],
                    pass.PrefixNode,
                    sequence.Owner.SaltAt(pass.Salts, start + KvPage.Tokens, sequence.TurnedLength),
                    sequence.Tokens.Slice(start, KvPage.Tokens));
            }

            sequence.NotedPages++;
        }
    }

    /// <summary>Lets an answer part from another after their common prompt: they share its pages until one writes.</summary>
    public GenerationSequence Fork(GenerationSequence sequence, int choice)
    {
        GenerationSequence fork = sequence.Fork(choice);
        fork.Order = ++_lastOrder;
        fork.CachedTokens = sequence.CachedTokens;
        fork.NotedPages = sequence.NotedPages;
        fork.IsRunning = true;
        for (int i = 0; i < sequence.Passes.Length; i++)
        {
            fork.Passes[i].PrefixNode = sequence.Passes[i].PrefixNode;
            foreach (int page in sequence.Passes[i].Pages)
            {
                _pages.Share(page);
                fork.Passes[i].Pages.Add(page);
            }
        }

        sequence.Owner.Add(fork);
        sequence.Owner.State.Tenant.Running++;
        _running.Add(fork);
        return fork;
    }

    /// <summary>Counts a generated token against its tenant.</summary>
    public static void ChargeToken(Sequence sequence) => sequence.Owner.State.Tenant.Charge(1);

    /// <summary>Ends a sequence, wherever it is; its pages are free at once.</summary>
    public void End(Sequence sequence)
    {
        if (sequence.IsDone)
        {
            return;
        }

        sequence.IsDone = true;
        if (sequence.IsRunning)
        {
            _running.Remove(sequence);
            Stop(sequence);
        }
        else
        {
            _waiting.Remove(sequence);
        }

        _waiting.Rest(sequence.Owner.State.Tenant);
    }

    /// <summary>Ends all of a request and gives its adapters back.</summary>
    public void End(Submission submission)
    {
        foreach (Sequence sequence in submission.Sequences)
        {
            End(sequence);
        }

        if (submission.State.IsLeased)
        {
            submission.State.IsLeased = false;
            _leases.EndLease(submission.Adapters);
        }
    }

    /// <summary>Throws unless pages add up.</summary>
    public void CheckIntegrity()
    {
        _pages.CheckIntegrity(_running.SelectMany(sequence => sequence.Passes).SelectMany(pass => pass.Pages));
        if (_places != _running.Sum(sequence => sequence.Places))
        {
            throw new InvalidOperationException($"{_places} places are taken, but running sequences take {_running.Sum(sequence => sequence.Places)}.");
        }
    }

    private void PlanRunning(StepPlan plan, ref Budget budget, bool single)
    {
        for (int i = 0; i < _running.Count && budget.Rows > 0; i++)
        {
            Sequence sequence = _running[i];
            if (sequence.PendingTokens == 1 == single)
            {
                Plan(plan, ref budget, sequence);
                i = Math.Min(i, _running.Count); // preemption may have shortened the list behind this one
            }
        }
    }

    private void Plan(StepPlan plan, ref Budget budget, Sequence sequence)
    {
        Chunk chunk = sequence.NextChunk(budget.Rows, budget.LogitRows);
        if (chunk.Rows <= 0)
        {
            return;
        }

        while (!TryHold(plan, sequence, chunk.Rows))
        {
            // The request that should run last gives up its pages to the one that should run first; there is always one
            // that nobody comes before and that fits alone, so all requests end.
            if (Last() is not { } victim || victim == sequence || !IsBefore(sequence, victim))
            {
                return;
            }

            Chunk freed = plan.Remove(victim);
            budget.Give(freed);
            Preempt(victim);
        }

        budget.Take(chunk);
        plan.Add(sequence, chunk);
    }

    // Makes sure that the sequence holds every page that its next rows are written to, alone.
    private bool TryHold(StepPlan plan, Sequence sequence, int rows)
    {
        int first = sequence.CachedTokens / KvPage.Tokens;
        foreach (PassPages pass in sequence.Passes)
        {
            if (first < pass.Pages.Count && _pages.IsShared(pass.Pages[first]))
            {
                if (!_pages.TryAllocate(out int copy))
                {
                    return false;
                }

                plan.AddCopy(pass.Pages[first], copy);
                _pages.Release(pass.Pages[first]);
                pass.Pages[first] = copy;
            }

            while (pass.Pages.Count * KvPage.Tokens < sequence.CachedTokens + rows)
            {
                if (!_pages.TryAllocate(out int page))
                {
                    return false;
                }

                pass.Pages.Add(page);
            }
        }

        return true;
    }

    private void Admit(StepPlan plan, ref Budget budget, long now)
    {
        if (_waiting.Count == 0)
        {
            return;
        }

        _waiting.BeginScan();
        while (budget.Rows > 0 && budget.LogitRows > 0 && _waiting.Peek() is { } sequence)
        {
            if (AsksInVain(sequence.Owner, now))
            {
                FairQueue.Pass(sequence);
                continue;
            }

            if (_places + sequence.Places > _limits.Places)
            {
                return;
            }

            int reused = FindPrefix(sequence, take: false);
            int wanted = (KvPage.Count(sequence.TokenCount + 1) * sequence.Passes.Length) - reused;
            if (_running.Count > 0 && wanted + (_running.Count / 2) > _pages.AvailableCount)
            {
                return; // who comes first in line is not overtaken by smaller requests
            }

            if (!TryLease(sequence.Owner, now))
            {
                if (!sequence.IsDone)
                {
                    FairQueue.Pass(sequence);
                }

                continue;
            }

            _waiting.Remove(sequence);
            Start(sequence);
            Plan(plan, ref budget, sequence);
        }
    }

    // Whoever waits for an adapter is looked at in every step, so that has to cost nothing: it asks again when something has changed.
    private bool AsksInVain(Submission submission, long now) =>
        !submission.State.IsLeased && submission.State.RefusedAt == _leases.Generation && submission.State.IsOverdue == IsOverdue(submission, now);

    private bool IsOverdue(Submission submission, long now) => now - submission.ArrivedAt > _limits.AdapterWaitTicks;

    private bool TryLease(Submission submission, long now)
    {
        if (submission.State.IsLeased)
        {
            return true;
        }

        try
        {
            // Read before it asks: what changes meanwhile has it ask once more.
            submission.State.RefusedAt = _leases.Generation;
            submission.State.IsOverdue = IsOverdue(submission, now);
            if (!_leases.TryLease(submission.Adapters, submission.State.IsOverdue, submission.ArrivedAt))
            {
                return false;
            }
        }
        catch (EngineException refusal)
        {
            Refused(submission, refusal);
            return false;
        }

        submission.State.IsLeased = true;
        submission.State.Uses = submission.Adapters.Uses(submission.ActiveFrom);
        return true;
    }

    private void Start(Sequence sequence)
    {
        TurnAnewWhereLonger(sequence);
        FindPrefix(sequence, take: true);
        sequence.IsRunning = true;
        _running.Add(sequence);
        _places += sequence.Places;
        sequence.Owner.State.Tenant.Running++;
        if (!sequence.WasPreempted)
        {
            sequence.Owner.State.CachedPromptTokens += Math.Max(0, sequence.CachedTokens - sequence.VirtualRows);
            sequence.Owner.State.Tenant.Charge(sequence.PendingTokens);
        }

        Admitted?.Invoke(sequence.Owner);
    }

    // Leading pages that hold what the sequence would compute, in every pass; held for it where asked.
    private int FindPrefix(Sequence sequence, bool take)
    {
        Span<long> nodes = stackalloc long[sequence.Passes.Length];
        Span<int> found = stackalloc int[sequence.Passes.Length];
        foreach (ref long node in nodes)
        {
            node = PrefixCache.Root;
        }

        int pages = 0;
        int kept = 0;
        for (int end = KvPage.Tokens; end <= sequence.ReusableTokens && TryFind(sequence, end, nodes, found); end += KvPage.Tokens)
        {
            for (int i = 0; i < found.Length; i++)
            {
                pages++;
                kept += _pages.IsKept(found[i]) ? 1 : 0;
                if (take)
                {
                    _pages.Share(found[i]);
                    sequence.Passes[i].Pages.Add(found[i]);
                    sequence.Passes[i].PrefixNode = nodes[i];
                }
            }

            if (take)
            {
                sequence.CachedTokens = end;
                sequence.NotedPages++;
            }
        }

        // A kept page is among the available ones, so taking it makes one fewer available.
        return pages - kept;
    }

    private bool TryFind(Sequence sequence, int end, Span<long> nodes, Span<int> found)
    {
        for (int i = 0; i < nodes.Length; i++)
        {
            UInt128 salt = sequence.Owner.SaltAt(sequence.Passes[i].Salts, end, sequence.TurnedLength);
            if (!_prefixes.TryFind(nodes[i], salt, sequence.Tokens[(end - KvPage.Tokens)..end], out found[i], out nodes[i]))
            {
                return false;
            }
        }

        return true;
    }

    private void Preempt(Sequence sequence)
    {
        _running.Remove(sequence);
        Stop(sequence);
        sequence.Restart();
        sequence.WasPreempted = true;
        _waiting.Add(sequence);
        Preemptions++;
    }

    // A rope may change once a sequence is longer than the model's original context: keys that were turned before are of no use then.
    private void TurnAnewWhereLonger(Sequence sequence)
    {
        int border = sequence.Owner.TurnsAnewBeyond;
        if (sequence.TokenCount > border && sequence.TurnedLength <= border)
        {
            Release(sequence);
            sequence.TurnAnew();
        }
    }

    private void Release(Sequence sequence)
    {
        // Last pages first: a prefix can be found only while its beginning can.
        foreach (PassPages pass in sequence.Passes)
        {
            for (int i = pass.Pages.Count - 1; i >= 0; i--)
            {
                _pages.Release(pass.Pages[i]);
            }

            pass.Pages.Clear();
        }
    }

    private void Stop(Sequence sequence)
    {
        Release(sequence);
        sequence.IsRunning = false;
        sequence.Owner.State.Tenant.Running--;
        _places -= sequence.Places;
    }

    private Sequence? Last()
    {
        Sequence? last = null;
        foreach (Sequence sequence in _running)
        {
            last = last is null || IsBefore(last, sequence) ? sequence : last;
        }

        return last;
    }

    private static bool IsBefore(Sequence a, Sequence b) =>
        a.Owner.Options.Priority != b.Owner.Options.Priority ? a.Owner.Options.Priority < b.Owner.Options.Priority : a.Order < b.Order;

    private struct Budget(int rows, int logitRows)
    {
        public int Rows = rows;
        public int LogitRows = logitRows;

        public void Take(Chunk chunk)
        {
            Rows -= chunk.Rows;
            LogitRows -= chunk.LogitRows;
        }

        public void Give(Chunk chunk)
        {
            Rows += chunk.Rows;
            LogitRows += chunk.LogitRows;
        }
    }
}
