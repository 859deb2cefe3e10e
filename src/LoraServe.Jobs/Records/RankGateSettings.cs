using LoraServe.Adapters.Methods.Training;

namespace LoraServe.Jobs.Records;

/// <summary>How gates are learned and pruned; see <see cref="GateOptions"/>.</summary>
public sealed record RankGateSettings
{
    /// <summary>What keeps gates closed.</summary>
    public GatePenalty Penalty { get; init; } = GatePenalty.L1;

    /// <summary>Nats a token that a term must be worth to stay.</summary>
    public double? Strength { get; init; }

    /// <summary>Factor of the gates' learning rate.</summary>
    public double? RateRatio { get; init; }

    /// <summary>Gates of at most this magnitude are pruned.</summary>
    public double? Threshold { get; init; }
}
