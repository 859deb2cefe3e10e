using System.Xml.Linq;
using LoraServe.Training.Reports.Plots;

namespace LoraServe.Training.Tests.Reports.Plots;

public sealed class BarPlotTests
{
    private static readonly XNamespace s_svg = "http://www.w3.org/2000/svg";

    [Fact]
    public void ToSvg_TwoSeries_DrawsABarForEachValueThatIsThere()
    {
        XElement svg = Plot(3, ("q_proj", [8, 4, 8]), ("v_proj", [double.NaN, 0, 2])).ToSvg();

        Assert.Equal(
            ["layer 0, q_proj: 8", "layer 1, q_proj: 4", "layer 1, v_proj: 0", "layer 2, q_proj: 8", "layer 2, v_proj: 2"],
            svg.Descendants(s_svg + "rect").Select(bar => bar.Element(s_svg + "title")?.Value).OfType<string>());
        LinePlotTests.AssertNumbersAreFinite(svg);
    }

    [Fact]
    public void ToSvg_HalfTheGreatestValue_IsHalfAsHigh()
    {
        XElement svg = Plot(2, ("rank", [8, 4])).ToSvg();

        Assert.Equal(["198", "99"], svg.Descendants(s_svg + "rect").Select(bar => bar.Attribute("height")!.Value));
        Assert.Equal(["58", "157"], svg.Descendants(s_svg + "rect").Select(bar => bar.Attribute("y")!.Value));
    }

    [Fact]
    public void ToSvg_Stacked_PutsBarsOnEachOther()
    {
        XElement svg = (Plot(1, ("q_proj", [4]), ("k_proj", [double.NaN]), ("v_proj", [4])) with { IsStacked = true }).ToSvg();

        XElement[] bars = [.. svg.Descendants(s_svg + "rect").Where(bar => bar.Element(s_svg + "title") is not null)];
        Assert.Equal(["157", "58"], bars.Select(bar => bar.Attribute("y")!.Value));
        Assert.Equal(["99", "99"], bars.Select(bar => bar.Attribute("height")!.Value));
        Assert.Single(bars.Select(bar => bar.Attribute("x")!.Value).Distinct());
    }

    [Fact]
    public void ToSvg_ManyGroups_NamesSomeOfThem()
    {
        XElement svg = Plot(100, ("rank", [.. Enumerable.Repeat(1d, 100)])).ToSvg();

        Assert.Equal(["0", "5", "10"], svg.Descendants(s_svg + "text").Where(text => text.Attribute("class")!.Value == "along").Take(3).Select(text => text.Value));
    }

    [Fact]
    public void ToSvg_NoGroups_SaysSo() => Assert.Contains("nothing to show", Plot(0).ToSvg().Value, StringComparison.Ordinal);

    private static BarPlot Plot(int groups, params (string, IReadOnlyList<double>)[] series) => new()
    {
        Title = "ranks",
        XLabel = "layer",
        YLabel = "rank",
        Groups = [.. Enumerable.Range(0, groups).Select(group => $"{group}")],
        Series = series,
    };
}
