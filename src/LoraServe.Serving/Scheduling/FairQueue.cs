namespace LoraServe.Serving.Scheduling;

/// <summary>Waiting sequences, in an order that is fair to tenants: whoever has had the fewest tokens for its weight is next.</summary>
/// <remarks>
/// Virtual token counters (Sheng et al., "Fairness in Serving Large Language Models", 2024): a tenant that comes back from
/// being idle starts at the least count of those that are active, so that it can neither save up nor be punished.
/// Within a tenant the smaller priority goes first, then the earlier arrival.
/// </remarks>
internal sealed class FairQueue(IReadOnlyDictionary<string, double> weights)
{
    private readonly Dictionary<string, Tenant> _tenants = [];
    private readonly List<Tenant> _active = [];

    /// <summary>Sequences that wait.</summary>
    public int Count { get; private set; }

    /// <summary>The tenants that wait or run.</summary>
    public IReadOnlyList<Tenant> Active => _active;

    /// <summary>The tenant of a name, active from now on.</summary>
    public Tenant Activate(string name)
    {
        if (!_tenants.TryGetValue(name, out Tenant? tenant))
        {
            tenant = new Tenant(name, weights.TryGetValue(name, out double weight) ? weight : 1)
            {
                Served = _active.Count > 0 ? _active.Min(other => other.Served) : 0,
            };
            _tenants.Add(name, tenant);
            _active.Add(tenant);
        }

        return tenant;
    }

    /// <summary>Adds a sequence of an active tenant.</summary>
    public void Add(Sequence sequence)
    {
        List<Sequence> waiting = sequence.Owner.State.Tenant.Waiting;
        int at = waiting.Count;
        while (at > 0 && IsBefore(sequence, waiting[at - 1]))
        {
            at--;
        }

        waiting.Insert(at, sequence);
        Count++;
    }

    /// <summary>Takes a sequence out.</summary>
    public void Remove(Sequence sequence)
    {
        if (sequence.Owner.State.Tenant.Waiting.Remove(sequence))
        {
            Count--;
        }
    }

    /// <summary>Forgets a tenant that neither waits nor runs.</summary>
    public void Rest(Tenant tenant)
    {
        if (tenant.Waiting.Count == 0 && tenant.Running == 0 && _tenants.Remove(tenant.Name))
        {
            _active.Remove(tenant);
        }
    }

    /// <summary>Begins to go through the queue from its head.</summary>
    public void BeginScan()
    {
        foreach (Tenant tenant in _active)
        {
            tenant.Cursor = 0;
        }
    }

    /// <summary>The next sequence in fair order that this scan has not passed yet; null at the end.</summary>
    public Sequence? Peek()
    {
        Tenant? next = null;
        foreach (Tenant tenant in _active)
        {
            if (tenant.Cursor < tenant.Waiting.Count && (next is null || tenant.Served < next.Served))
            {
                next = tenant;
            }
        }

        return next?.Waiting[next.Cursor];
    }

    /// <summary>Leaves the sequence that <see cref="Peek"/> gave in the queue and goes on behind it.</summary>
    public static void Pass(Sequence sequence) => sequence.Owner.State.Tenant.Cursor++;

    private static bool IsBefore(Sequence a, Sequence b) =>
        a.Owner.Options.Priority != b.Owner.Options.Priority ? a.Owner.Options.Priority < b.Owner.Options.Priority : a.Order < b.Order;
}
