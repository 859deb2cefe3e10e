using LoraServe.Adapters.Merging;

namespace LoraServe.Serving.Requests;

/// <summary>What every kind of request has: which adapters, for whom, how urgent.</summary>
public abstract record RequestOptions
{
    /// <summary>Adapters applied together, in this order; empty for the base model alone.</summary>
    public IReadOnlyList<AdapterReference> Adapters { get; init; } = [];

    /// <summary>How the adapters become one before they are applied, by their weights; null: each adds its own weighted change, which is what <c>cat</c> gives too.</summary>
    public CombinationOptions? Combination { get; init; }

    /// <summary>Appears in logs and answers; made up where empty.</summary>
    public string RequestId { get; init; } = "";

    /// <summary>Who asks: which adapters it may use, and on whose account it runs.</summary>
    /// <value>The operator of the process by default.</value>
    public Principal Principal { get; init; } = Principal.Operator;

    /// <summary>On whose account it runs: tenants share the engine fairly by tokens.</summary>
    public string Tenant => Principal.Tenant;

    /// <summary>Smaller runs first within a tenant.</summary>
    public int Priority { get; init; }

    /// <summary>When the answer is of no more use; null: never.</summary>
    public DateTimeOffset? Deadline { get; init; }
}
