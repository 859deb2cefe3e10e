using LoraServe.Serving.Requests;
using LoraServe.Serving.Store.Residency;
using LoraServe.Serving.Store.Versions;

namespace LoraServe.Serving.Tests.Store.Residency;

/// <summary>Memory that is only counted, on the test's own thread: a load takes steps instead of reading files.</summary>
internal sealed class SimulatedMemory(long budgetBytes, long turnTicks, int stepsPerLoad) : IAdapterLeases
{
    private static readonly CountedAdapter s_resident = new();

    private readonly List<(AdapterVersion Version, long Until)> _loading = [];

    public ResidencyLedger Ledger { get; } = new(budgetBytes, turnTicks);

    /// <summary>Loads begun so far.</summary>
    public int Loads { get; private set; }

    /// <summary>Times that a lease of adapters was asked for so far.</summary>
    public int Asked { get; private set; }

    /// <summary>What is becoming resident.</summary>
    public IEnumerable<AdapterVersion> Loading => _loading.Select(load => load.Version);

    /// <summary>What the last call of <see cref="Settle"/> evicted.</summary>
    public List<AdapterVersion> Evicted { get; } = [];

    public long Now { get; private set; }

    public long Generation => Ledger.Generation;

    public bool TryLease(AdapterStack stack, bool isOverdue, long arrivedAt)
    {
        Asked += stack.Count > 0 ? 1 : 0;
        return stack.Count == 0 || Ledger.TryLease(stack, isOverdue, arrivedAt, Now);
    }

    public void EndLease(AdapterStack stack) => Ledger.EndLease(stack, default);

    public void RemoveUser(AdapterStack stack) => Ledger.RemoveUser(stack);

    /// <summary>Lets a step pass: what has loaded long enough is there.</summary>
    /// <param name="fails">Whether a load fails.</param>
    public void Advance(Func<bool>? fails = null)
    {
        Now++;
        foreach ((AdapterVersion version, _) in _loading.Where(load => load.Until <= Now).ToArray())
        {
            _loading.RemoveAll(load => load.Version == version);
            if (fails?.Invoke() ?? false)
            {
                Ledger.LoadFailed(version, new EngineException(EngineError.AdapterUnavailable, "It fails."), Now);
            }
            else
            {
                version.State.Resident = s_resident;
                Ledger.Loaded(version);
            }
        }

        Settle();
    }

    public void Settle()
    {
        Evicted.Clear();
        List<AdapterVersion> loads = [];
        while (Ledger.IsUnsettled)
        {
            Ledger.Settle(Evicted, [], loads);
        }

        Loads += loads.Count;
        _loading.AddRange(loads.Select(version => (version, Now + stepsPerLoad)));
    }
}
