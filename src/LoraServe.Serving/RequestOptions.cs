namespace LoraServe.Serving;

/// <summary>What every kind of request has: which adapters, for whom, how urgent.</summary>
public abstract record RequestOptions
{
    /// <summary>Adapters applied together, in this order; empty for the base model alone.</summary>
    public IReadOnlyList<AdapterReference> Adapters { get; init; } = [];

    /// <summary>Appears in logs and answers; made up where empty.</summary>
    public string RequestId { get; init; } = "";

    /// <summary>On whose account it runs: tenants share the engine fairly by tokens.</summary>
    public string Tenant { get; init; } = "";

    /// <summary>Smaller runs first within a tenant.</summary>
    public int Priority { get; init; }

    /// <summary>When the answer is of no more use; null: never.</summary>
    public DateTimeOffset? Deadline { get; init; }
}
