namespace LoraServe.Adapters.Methods.Training;

/// <summary>How gates of rank-one terms are learned and pruned.</summary>
public sealed record GateOptions
{
    private const double UsualThreshold = 0.05;

    /// <summary>Which gates.</summary>
    public GatePenalty Penalty { get; init; } = GatePenalty.L1;

    /// <summary>λ: a term's gate stays open where it lowers the loss, in nats a token, by more than about this.</summary>
    public double Strength { get; init; } = 1e-4;

    /// <summary>Factor of the gates' learning rate: a gate has further to go than an element of A or B.</summary>
    public double RateRatio { get; init; } = 10;

    /// <summary>Gates of at most this magnitude are pruned; null: 0.05 with L1, and 0 with hard concrete gates, which close wholly.</summary>
    public double? Threshold { get; init; }

    /// <summary>The threshold, given or usual.</summary>
    internal float PrunedBelow => (float)(Threshold ?? (Penalty == GatePenalty.L1 ? UsualThreshold : 0));
}
