using System.Xml.Linq;
using LoraServe.Training.Reports.Plots;

namespace LoraServe.Training.Tests.Reports.Plots;

public sealed class LinePlotTests
{
    private static readonly XNamespace s_svg = "http://www.w3.org/2000/svg";

    [Fact]
    public void ToSvg_ThreePoints_IsALineBetweenTheAxes()
    {
        XElement svg = Plot(new PlotSeries("loss", [1, 2, 3], [4, 2, 1])).ToSvg();

        // 62 to 622 across; 1 to 4 on 256 up to 58.
        Assert.Equal("M62 58L342 190L622 256", svg.Descendants(s_svg + "path").Single().Attribute("d")!.Value);
        Assert.Equal(["a plot", "1", "2", "3", "4", "up", "1", "2", "3", "along"], svg.Descendants(s_svg + "text").Select(text => text.Value));
    }

    [Fact]
    public void ToSvg_SeveralSeries_HaveALegendAndTheirOwnColours()
    {
        XElement svg = Plot(new PlotSeries("a", [1, 2], [1, 2]), new PlotSeries("b", [1, 2], [2, 1]) { Style = SeriesStyle.Faint }).ToSvg();

        Assert.Equal(["a", "b"], svg.Descendants(s_svg + "text").Where(text => text.Attribute("class")!.Value == "name").Select(text => text.Value));
        Assert.Equal(["s0", "s1 faint"], svg.Descendants(s_svg + "path").Select(path => path.Attribute("class")!.Value));
    }

    [Fact]
    public void ToSvg_ManySeries_EndTheLegendInTime()
    {
        XElement svg = Plot([.. Enumerable.Range(0, 40).Select(i => new PlotSeries($"series number {i}", [1, 2], [i, i]))]).ToSvg();

        Assert.Equal("…", svg.Descendants(s_svg + "text").Last(text => text.Attribute("class")!.Value == "name").Value);
        Assert.Equal(40, svg.Descendants(s_svg + "path").Count());
    }

    [Fact]
    public void ToSvg_OnePoint_IsAMark()
    {
        XElement svg = Plot(new PlotSeries("loss", [7], [3])).ToSvg();

        Assert.Equal("loss: along 7, up 3", svg.Descendants(s_svg + "circle").Single().Element(s_svg + "title")!.Value);
        AssertNumbersAreFinite(svg);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    [InlineData(double.MaxValue)]
    public void ToSvg_ValueThatCannotBeDrawn_IsAGap(double value)
    {
        XElement svg = Plot(new PlotSeries("loss", [1, 2, 3, 4, 5], [4, 2, value, 1, 1])).ToSvg();

        Assert.Equal(2, svg.Descendants(s_svg + "path").Single().Attribute("d")!.Value.Count(letter => letter == 'M'));
        AssertNumbersAreFinite(svg);
    }

    [Fact]
    public void ToSvg_NothingToDraw_SaysSo()
    {
        Assert.Contains("nothing to show", Plot(new PlotSeries("loss", [1, 2], [double.NaN, double.NaN])).ToSvg().Value, StringComparison.Ordinal);
        Assert.Contains("nothing to show", Plot().ToSvg().Value, StringComparison.Ordinal);
    }

    [Fact]
    public void ToSvg_LogarithmicAxis_LeavesOutWhatIsNotPositive()
    {
        XElement svg = (Plot(new PlotSeries("rate", [1, 2, 3, 4], [0, 1e-4, 1e-3, -1])) with { YScale = AxisScale.Logarithmic }).ToSvg();

        Assert.Equal(1, svg.Descendants(s_svg + "path").Single().Attribute("d")!.Value.Count(letter => letter == 'L'));
        AssertNumbersAreFinite(svg);
    }

    [Fact]
    public void ToSvg_AMillionPoints_AreThinnedToWhatIsSeen()
    {
        var random = new Random(1);
        double[] y = [.. Enumerable.Range(0, 1_000_000).Select(_ => random.NextDouble())];
        y[777_777] = 9;

        string data = Plot(new PlotSeries("loss", [.. Enumerable.Range(0, y.Length).Select(i => (double)i)], y)).ToSvg().Descendants(s_svg + "path").Single().Attribute("d")!.Value;

        Assert.InRange(data.Count(letter => letter is 'L' or 'M'), 1000, 4 * 561);
        Assert.Contains(" 77.8L", data, StringComparison.Ordinal); // the one spike, at 9 of 10
    }

    [Fact]
    public void Series_UnequalLengths_AreRefused() =>
        Assert.Throws<ArgumentException>(() => new PlotSeries("loss", [1, 2], [1]));

    [Fact]
    public void ToSvg_TextOfAnyKind_StaysWellFormed()
    {
        XElement svg = (Plot(new PlotSeries("<b>&\u0001", [1], [1])) with { Title = "\ud83d\ude00 \udc00 ]]> \"'", XLabel = "\u000b<", YLabel = "&amp;" }).ToSvg();

        Assert.Equal("\ud83d\ude00 \uFFFD ]]> \"'", XElement.Parse(svg.ToString()).Attribute("aria-label")!.Value);
    }

    internal static void AssertNumbersAreFinite(XElement svg)
    {
        XElement parsed = XElement.Parse(svg.ToString());
        Assert.All(
            parsed.Descendants().Attributes().Where(attribute => attribute.Name != "aria-label"),
            attribute => Assert.DoesNotMatch("NaN|∞|Infinity", attribute.Value));
    }

    private static LinePlot Plot(params PlotSeries[] series) => new() { Title = "a plot", XLabel = "along", YLabel = "up", XScale = AxisScale.Whole, Series = series };
}
