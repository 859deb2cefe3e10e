using System.Text;
using System.Xml.Linq;
using LoraServe.Training.Reports.Text;

namespace LoraServe.Training.Reports.Plots;

/// <summary>Series of values along an axis, as SVG: legible in light and dark, without script or anything from outside.</summary>
public sealed record LinePlot
{
    private const int VerticalTicks = 5;
    private const int HorizontalTicks = 8;

    /// <summary>More marks than this hide each other: the line alone is drawn.</summary>
    private const int MostMarks = 500;

    /// <summary>What it shows.</summary>
    public required string Title { get; init; }

    /// <summary>A sentence for those who cannot see it.</summary>
    public string Description { get; init; } = "";

    /// <summary>What the horizontal axis measures.</summary>
    public required string XLabel { get; init; }

    /// <summary>What the vertical axis measures.</summary>
    public required string YLabel { get; init; }

    /// <summary>The horizontal axis.</summary>
    public AxisScale XScale { get; init; }

    /// <summary>The vertical axis.</summary>
    public AxisScale YScale { get; init; }

    /// <summary>What is drawn, the last one in front.</summary>
    public required IReadOnlyList<PlotSeries> Series { get; init; }

    /// <summary>The plot as an <c>svg</c> element.</summary>
    public XElement ToSvg()
    {
        bool marksOnly = Series.All(series => series.Style == SeriesStyle.Scattered);
        PlotAxis x = PlotAxis.Over(Drawable(series => series.X), XScale, HorizontalTicks, isTight: !marksOnly);
        PlotAxis y = PlotAxis.Over(Drawable(series => series.Y), YScale, VerticalTicks, isTight: false);
        var frame = new PlotFrame(Title, Description, x, y);
        frame.DrawVerticalAxis(YLabel);
        frame.DrawHorizontalAxis(XLabel, x.Ticks.Select(tick => (tick, x.Label(tick))));
        frame.DrawLegend([.. Series.Select(series => series.Name)]);
        bool isEmpty = true;
        for (int i = 0; i < Series.Count; i++)
        {
            isEmpty &= !Draw(frame, Series[i], PlotFrame.ColourClass(i));
        }

        if (isEmpty)
        {
            frame.DrawNothing();
        }

        return frame.Root;
    }

    private IEnumerable<double> Drawable(Func<PlotSeries, IReadOnlyList<double>> values) =>
        from series in Series
        from i in Enumerable.Range(0, series.X.Count)
        where series.HasPoint(i, XScale, YScale)
        select values(series)[i];

    private bool Draw(PlotFrame frame, PlotSeries series, string colour)
    {
        int[] there = [.. Enumerable.Range(0, series.X.Count).Where(i => series.HasPoint(i, XScale, YScale))];
        if (series.Style != SeriesStyle.Scattered)
        {
            IEnumerable<(double X, double Y)> points = Enumerable.Range(0, series.X.Count)
                .Select(i => series.HasPoint(i, XScale, YScale) ? (frame.X(series.X[i]), frame.Y(series.Y[i])) : (double.NaN, double.NaN));
            string path = PathData(SeriesThinning.Thin(points, columnWidth: 1));
            if (path.Length > 0)
            {
                frame.Root.Add(Svg.Path(path, series.Style == SeriesStyle.Faint ? $"{colour} faint" : colour));
            }
        }

        // A line through one point has no length, so that it needs its mark.
        if (series.Style is SeriesStyle.Marked or SeriesStyle.Scattered || there.Length == 1)
        {
            foreach (int i in there.Length <= MostMarks ? there : [])
            {
                string name = i < series.PointNames.Count ? series.PointNames[i] : series.Name;
                frame.Root.Add(Svg.Circle(
                    frame.X(series.X[i]), frame.Y(series.Y[i]), 3.5, colour, $"{name}: {XLabel} {QuantityText.Digits(series.X[i])}, {YLabel} {QuantityText.Digits(series.Y[i])}"));
            }
        }

        return there.Length > 0;
    }

    private static string PathData(IEnumerable<(double X, double Y)> points)
    {
        var path = new StringBuilder();
        bool isApart = true;
        foreach ((double x, double y) in points)
        {
            if (double.IsNaN(y))
            {
                isApart = true;
                continue;
            }

            path.Append(isApart ? 'M' : 'L').Append(Svg.Number(x)).Append(' ').Append(Svg.Number(y));
            isApart = false;
        }

        return path.ToString();
    }
}
