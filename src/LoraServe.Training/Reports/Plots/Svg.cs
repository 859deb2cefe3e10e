using System.Globalization;
using System.Xml.Linq;
using LoraServe.Training.Reports.Text;

namespace LoraServe.Training.Reports.Plots;

/// <summary>The elements that plots are made of. Text is escaped by being text; what XML cannot hold is replaced.</summary>
internal static class Svg
{
    private static readonly XNamespace s_namespace = "http://www.w3.org/2000/svg";

    public static XElement Element(string name, params object?[] content) => new(s_namespace + name, content);

    public static XElement Text(double x, double y, string @class, string text) =>
        Element("text", At("x", x), At("y", y), new XAttribute("class", @class), XmlText.Clean(text));

    public static XElement Line(double x1, double y1, double x2, double y2, string @class) =>
        Element("line", At("x1", x1), At("y1", y1), At("x2", x2), At("y2", y2), new XAttribute("class", @class));

    public static XElement Rectangle(double x, double y, double width, double height, string @class, string? title = null) =>
        Element("rect", At("x", x), At("y", y), At("width", width), At("height", height), new XAttribute("class", @class), title is null ? null : Element("title", XmlText.Clean(title)));

    public static XElement Circle(double x, double y, double radius, string @class, string title) =>
        Element("circle", At("cx", x), At("cy", y), At("r", radius), new XAttribute("class", @class), Element("title", XmlText.Clean(title)));

    public static XElement Path(string data, string @class) => Element("path", new XAttribute("d", data), new XAttribute("class", @class));

    /// <summary>A number as attributes hold it: a tenth of a pixel is finer than one sees.</summary>
    public static string Number(double value) => Math.Round(value, 1).ToString("0.#", CultureInfo.InvariantCulture);

    private static XAttribute At(string name, double value) => new(name, Number(value));
}
