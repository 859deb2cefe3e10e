namespace LoraServe.Training.Reports.Plots;

/// <summary>How a series is drawn.</summary>
public enum SeriesStyle
{
    /// <summary>A line through its points.</summary>
    Line,

    /// <summary>A thin pale line, for what lies behind another.</summary>
    Faint,

    /// <summary>A line with a mark at each point, which tells its values.</summary>
    Marked,

    /// <summary>Marks without a line.</summary>
    Scattered,
}
