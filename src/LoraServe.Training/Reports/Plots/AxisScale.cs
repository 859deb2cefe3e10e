namespace LoraServe.Training.Reports.Plots;

/// <summary>How values lie along an axis.</summary>
public enum AxisScale
{
    /// <summary>Equal differences are equally far apart.</summary>
    Linear,

    /// <summary>Linear, with ticks at whole numbers only.</summary>
    Whole,

    /// <summary>Equal ratios are equally far apart; values that are not positive are left out.</summary>
    Logarithmic,
}
