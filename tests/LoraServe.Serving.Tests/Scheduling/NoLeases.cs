using LoraServe.Serving.Store.Versions;

namespace LoraServe.Serving.Tests.Scheduling;

/// <summary>For requests without adapters.</summary>
internal sealed class NoLeases : IAdapterLeases
{
    public long Generation => 0;

    public bool TryLease(AdapterStack stack, bool isOverdue, long arrivedAt) => true;

    public void EndLease(AdapterStack stack)
    {
    }

    public void RemoveUser(AdapterStack stack)
    {
    }
}
