namespace LoraServe.Training.Reports.Plots;

/// <summary>Values to draw. A point that is not finite leaves a gap.</summary>
public sealed record PlotSeries
{
    /// <summary>Beyond this, differences between values are no longer finite.</summary>
    private const double Greatest = 1e100;

    /// <summary>A series.</summary>
    /// <param name="name">Its name in the legend.</param>
    /// <param name="x">Values along the horizontal axis, ascending where a line is drawn.</param>
    /// <param name="y">As many values along the vertical axis.</param>
    /// <exception cref="ArgumentException">There are not as many of both.</exception>
    public PlotSeries(string name, IReadOnlyList<double> x, IReadOnlyList<double> y)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(y);
        if (x.Count != y.Count)
        {
            throw new ArgumentException($"Series '{name}' has {x.Count} values along and {y.Count} up; each point needs both.", nameof(y));
        }

        Name = name;
        X = x;
        Y = y;
    }

    /// <summary>Its name in the legend.</summary>
    public string Name { get; }

    /// <summary>Values along the horizontal axis.</summary>
    public IReadOnlyList<double> X { get; }

    /// <summary>Values along the vertical axis.</summary>
    public IReadOnlyList<double> Y { get; }

    /// <summary>How it is drawn.</summary>
    public SeriesStyle Style { get; init; }

    /// <summary>Names of the points, told by their marks; empty where the values are enough.</summary>
    public IReadOnlyList<string> PointNames { get; init; } = [];

    internal bool HasPoint(int index, AxisScale xScale, AxisScale yScale) => IsDrawable(X[index], xScale) && IsDrawable(Y[index], yScale);

    internal static bool IsDrawable(double value, AxisScale scale) =>
        Math.Abs(value) <= Greatest && (scale != AxisScale.Logarithmic || value >= 1 / Greatest);
}
