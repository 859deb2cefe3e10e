using LoraServe.Serving.Requests;

namespace LoraServe.Serving.Store.Versions;

/// <summary>Keeps adapters resident while sequences run on them, and in service while requests name them.</summary>
internal interface IAdapterLeases
{
    /// <summary>Grows whenever a lease that failed might succeed now: until then, asking again is in vain. Any thread may read it.</summary>
    long Generation { get; }

    /// <summary>Holds all adapters of a stack resident if they are; else has them loaded and says false. Never waits.</summary>
    /// <param name="stack">The adapters.</param>
    /// <param name="isOverdue">Whether the request has waited so long that others must give up their room.</param>
    /// <param name="arrivedAt">Timestamp of the request's arrival: it is not failed by what failed before.</param>
    /// <exception cref="EngineException">They cannot become resident.</exception>
    bool TryLease(AdapterStack stack, bool isOverdue, long arrivedAt);

    /// <summary>Gives back what <see cref="TryLease"/> held.</summary>
    void EndLease(AdapterStack stack);

    /// <summary>Counts a request that has ended: what it ran on may go.</summary>
    void RemoveUser(AdapterStack stack);
}
