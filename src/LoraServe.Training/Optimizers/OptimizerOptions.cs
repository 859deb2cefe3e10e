namespace LoraServe.Training.Optimizers;

/// <summary>Which optimizer trains, and its constants. A constant that is null has the kind's usual value.</summary>
public sealed record OptimizerOptions
{
    /// <summary>The rule.</summary>
    public OptimizerKind Kind { get; init; } = OptimizerKind.AdamW;

    /// <summary>Decay of the first moment: AdamW and Lion 0.9; Adafactor keeps no first moment unless this is set. SGD has <see cref="Momentum"/>.</summary>
    public double? Beta1 { get; init; }

    /// <summary>Decay of the second moment: AdamW 0.999; of Lion's momentum, 0.99. Adafactor's follows <see cref="DecayExponent"/>.</summary>
    public double? Beta2 { get; init; }

    /// <summary>AdamW: added to the root of the second moment, 1e-8. Adafactor: added to the squared gradient, 1e-30.</summary>
    public double? Epsilon { get; init; }

    /// <summary>Weight decay: decoupled from the gradient, and in SGD added to it.</summary>
    public double WeightDecay { get; init; }

    /// <summary>SGD's momentum; 0 keeps none.</summary>
    public double Momentum { get; init; }

    /// <summary>Adafactor: the second moment decays with 1 − step^exponent.</summary>
    public double DecayExponent { get; init; } = -0.8;

    /// <summary>Adafactor: root mean square above which an update is scaled down.</summary>
    public double ClipThreshold { get; init; } = 1;
}
