using System.Globalization;
using System.Xml.Linq;

namespace LoraServe.Training.Reports.Plots;

/// <summary>Groups of bars, one bar of each series in a group, side by side or one on the other, as SVG.</summary>
public sealed record BarPlot
{
    private const int VerticalTicks = 5;
    private const double GroupShare = 0.8;

    /// <summary>Room that a group's name takes, in pixels; where there is less, every second, third, … is written.</summary>
    private const double NameWidth = 26;

    /// <summary>What it shows.</summary>
    public required string Title { get; init; }

    /// <summary>A sentence for those who cannot see it.</summary>
    public string Description { get; init; } = "";

    /// <summary>What the groups are.</summary>
    public required string XLabel { get; init; }

    /// <summary>What the bars measure.</summary>
    public required string YLabel { get; init; }

    /// <summary>The groups' names, from left to right.</summary>
    public required IReadOnlyList<string> Groups { get; init; }

    /// <summary>Each series' name and its value in every group; NaN for no bar.</summary>
    public required IReadOnlyList<(string Name, IReadOnlyList<double> Values)> Series { get; init; }

    /// <summary>Whether the bars of a group stand one on the other, for values that add up; none may be negative then.</summary>
    public bool IsStacked { get; init; }

    /// <summary>The plot as an <c>svg</c> element.</summary>
    public XElement ToSvg()
    {
        double[] drawn = [.. Series.SelectMany(series => series.Values).Where(value => PlotSeries.IsDrawable(value, AxisScale.Linear))];
        bool isWhole = drawn.All(value => value == Math.Floor(value));
        double[] heights = IsStacked ? [.. Enumerable.Range(0, Groups.Count).Select(group => Series.Sum(series => Height(series.Values, group)))] : drawn;
        PlotAxis y = PlotAxis.Over(heights.Append(0), isWhole ? AxisScale.Whole : AxisScale.Linear, VerticalTicks, isTight: false);
        PlotAxis x = PlotAxis.Over([-0.5, Math.Max(Groups.Count, 1) - 0.5], AxisScale.Linear, VerticalTicks, isTight: true);
        var frame = new PlotFrame(Title, Description, x, y);
        frame.DrawVerticalAxis(YLabel);
        int stride = Math.Max(1, (int)Math.Ceiling(NameWidth * Groups.Count / PlotFrame.InnerWidth));
        frame.DrawHorizontalAxis(XLabel, Enumerable.Range(0, Groups.Count).Where(group => group % stride == 0).Select(group => ((double)group, Groups[group])));
        frame.DrawLegend([.. Series.Select(series => series.Name)]);
        double width = IsStacked ? GroupShare : GroupShare / Math.Max(1, Series.Count);
        for (int group = 0; group < Groups.Count; group++)
        {
            double below = 0;
            for (int i = 0; i < Series.Count; i++)
            {
                (string name, IReadOnlyList<double> values) = Series[i];
                if (group < values.Count && PlotSeries.IsDrawable(values[group], AxisScale.Linear))
                {
                    double left = group - (GroupShare / 2) + (IsStacked ? 0 : i * width);
                    (double from, double to) = (frame.Y(below), frame.Y(below + values[group]));
                    frame.Root.Add(Svg.Rectangle(
                        frame.X(left), Math.Min(from, to), Math.Max(0.6, frame.X(left + width) - frame.X(left)), Math.Abs(to - from), PlotFrame.ColourClass(i),
                        string.Create(CultureInfo.InvariantCulture, $"{XLabel} {Groups[group]}, {name}: {values[group]}")));
                    below += IsStacked ? values[group] : 0;
                }
            }
        }

        if (drawn.Length == 0)
        {
            frame.DrawNothing();
        }

        return frame.Root;
    }

    private static double Height(IReadOnlyList<double> values, int group) =>
        group < values.Count && PlotSeries.IsDrawable(values[group], AxisScale.Linear) ? values[group] : 0;
}
