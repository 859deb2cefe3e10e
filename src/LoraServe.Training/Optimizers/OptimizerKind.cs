namespace LoraServe.Training.Optimizers;

/// <summary>Rules that turn a gradient into an update.</summary>
public enum OptimizerKind
{
    /// <summary>Adam with decoupled weight decay (arXiv 1711.05101).</summary>
    AdamW,

    /// <summary>Stochastic gradient descent with momentum.</summary>
    Sgd,

    /// <summary>The sign of an interpolated momentum (arXiv 2302.06675).</summary>
    Lion,

    /// <summary>Second moments factored into rows and columns (arXiv 1804.04235), with the rate given from outside.</summary>
    Adafactor,
}
