using System.Xml.Linq;
using LoraServe.Training.Reports.Text;

namespace LoraServe.Training.Reports;

/// <summary>A table of a page; the first cell of a row is the row's heading.</summary>
/// <param name="Caption">What it shows.</param>
/// <param name="Headings">Of the columns; none for pairs of a name and a value.</param>
/// <param name="Rows">Cells, as many in a row as there are columns.</param>
public sealed record HtmlTable(string Caption, IReadOnlyList<string> Headings, IReadOnlyList<IReadOnlyList<string>> Rows)
{
    internal XElement ToElement() => new(
        "table",
        new XElement("caption", XmlText.Clean(Caption)),
        Headings.Count == 0 ? null : new XElement("thead", new XElement("tr", Headings.Select(heading => Cell("th", "col", heading)))),
        new XElement("tbody", Rows.Select(row => new XElement("tr", row.Select((cell, column) => column == 0 ? Cell("th", "row", cell) : new XElement("td", XmlText.Clean(cell)))))));

    private static XElement Cell(string name, string scope, string text) => new(name, new XAttribute("scope", scope), XmlText.Clean(text));
}
