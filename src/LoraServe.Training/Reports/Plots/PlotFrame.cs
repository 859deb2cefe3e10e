using System.Xml.Linq;
using LoraServe.Training.Reports.Text;

namespace LoraServe.Training.Reports.Plots;

/// <summary>What all plots share: size, title, legend, grid, axes and colours. Every plot carries its style, so that it is a file by itself too.</summary>
internal sealed class PlotFrame
{
    public const double Width = 640;
    public const double Height = 300;

    /// <summary>Series beyond it begin again with the first colour.</summary>
    public const int Colours = 8;

    private const double Left = 62;
    private const double Right = 18;
    private const double Top = 58;
    private const double Bottom = 44;

    /// <summary>Mean width of a letter of the legend.</summary>
    private const double LetterWidth = 6.6;

    private const string Style = """
        .plot{--ink:#1f2933;--soft:#5b6875;--grid:#e3e8ee;--c0:#2563eb;--c1:#d9730d;--c2:#0a8f6a;--c3:#c92a2a;--c4:#7c3aed;--c5:#0b7fa5;--c6:#b83280;--c7:#5f7a10;
        font:12px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;max-width:100%;height:auto}
        @media(prefers-color-scheme:dark){.plot{--ink:#e6eaf0;--soft:#9aa7b4;--grid:#2c3540;--c0:#6ea8fe;--c1:#f5a65b;--c2:#4fd1a5;--c3:#ff8787;--c4:#b197fc;--c5:#5cc8ea;--c6:#f06fb5;--c7:#b5d04a}}
        .plot text{fill:var(--soft)}.plot .heading{fill:var(--ink);font-size:14px;font-weight:600}.plot .name{fill:var(--ink)}.plot .empty{font-style:italic;text-anchor:middle}
        .plot .up{text-anchor:end}.plot .along,.plot .axis{text-anchor:middle}.plot .grid{stroke:var(--grid)}.plot .edge{stroke:var(--soft)}
        .plot path{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}.plot .faint{stroke-width:1;opacity:.4}
        .plot .s0{--c:var(--c0)}.plot .s1{--c:var(--c1)}.plot .s2{--c:var(--c2)}.plot .s3{--c:var(--c3)}.plot .s4{--c:var(--c4)}.plot .s5{--c:var(--c5)}.plot .s6{--c:var(--c6)}.plot .s7{--c:var(--c7)}
        .plot path{stroke:var(--c)}.plot circle,.plot rect{fill:var(--c)}
        """;

    private readonly XElement _root;
    private readonly PlotAxis _x;
    private readonly PlotAxis _y;

    public PlotFrame(string title, string description, PlotAxis x, PlotAxis y)
    {
        _x = x;
        _y = y;
        _root = Svg.Element(
            "svg",
            new XAttribute("viewBox", $"0 0 {Svg.Number(Width)} {Svg.Number(Height)}"), new XAttribute("width", Svg.Number(Width)), new XAttribute("height", Svg.Number(Height)),
            new XAttribute("class", "plot"), new XAttribute("role", "img"), new XAttribute("aria-label", XmlText.Clean(title)),
            Svg.Element("title", XmlText.Clean(title)), Svg.Element("desc", XmlText.Clean(description)), Svg.Element("style", Style.ReplaceLineEndings("")),
            Svg.Text(Left, 20, "heading", title));
    }

    /// <summary>The drawing so far.</summary>
    public XElement Root => _root;

    public static double InnerWidth => Width - Left - Right;

    public static double InnerHeight => Height - Top - Bottom;

    public double X(double value) => Left + (_x.Position(value) * InnerWidth);

    public double Y(double value) => Top + ((1 - _y.Position(value)) * InnerHeight);

    /// <summary>The class that gives a series its colour.</summary>
    public static string ColourClass(int series) => $"s{series % Colours}";

    /// <summary>Draws grid lines and marks of the vertical axis.</summary>
    public void DrawVerticalAxis(string label)
    {
        foreach (double tick in _y.Ticks)
        {
            _root.Add(Svg.Line(Left, Y(tick), Width - Right, Y(tick), "grid"), Svg.Text(Left - 7, Y(tick) + 4, "up", _y.Label(tick)));
        }

        // Read from below upwards, beside the middle of the axis.
        _root.Add(Svg.Element("g", new XAttribute("transform", $"translate(14 {Svg.Number(Top + (InnerHeight / 2))}) rotate(-90)"), Svg.Text(0, 0, "axis", label)));
    }

    /// <summary>Draws the horizontal axis with its marks.</summary>
    /// <param name="label">What it measures.</param>
    /// <param name="ticks">Values and their texts.</param>
    public void DrawHorizontalAxis(string label, IEnumerable<(double Value, string Text)> ticks)
    {
        _root.Add(Svg.Line(Left, Height - Bottom, Width - Right, Height - Bottom, "edge"));
        foreach ((double value, string text) in ticks)
        {
            _root.Add(Svg.Line(X(value), Height - Bottom, X(value), Height - Bottom + 4, "edge"), Svg.Text(X(value), Height - Bottom + 17, "along", text));
        }

        _root.Add(Svg.Text(Left + (InnerWidth / 2), Height - 9, "axis", label));
    }

    /// <summary>Draws the series' names with their colours; one series needs none.</summary>
    public void DrawLegend(IReadOnlyList<string> names)
    {
        double x = Left;
        for (int i = 0; names.Count > 1 && i < names.Count; i++)
        {
            double width = 24 + (LetterWidth * names[i].Length);
            if (x + width > Width)
            {
                _root.Add(Svg.Text(x, 42, "name", "…"));
                break;
            }

            _root.Add(Svg.Rectangle(x, 36, 12, 4, ColourClass(i)), Svg.Text(x + 17, 42, "name", names[i]));
            x += width;
        }
    }

    /// <summary>Says that there is nothing to draw.</summary>
    public void DrawNothing() => _root.Add(Svg.Text(Left + (InnerWidth / 2), Top + (InnerHeight / 2), "empty", "nothing to show"));
}
