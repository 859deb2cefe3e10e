using System.Xml.Linq;
using LoraServe.Compute.Files;
using LoraServe.Training.Reports.Text;

namespace LoraServe.Training.Reports;

/// <summary>A page that is one file: tables and drawings, style inside, no script, nothing from outside. All text is escaped.</summary>
public sealed class HtmlPage
{
    private const string Style = """
        :root{color-scheme:light dark;--ink:#1f2933;--soft:#5b6875;--line:#e3e8ee;--paper:#f6f8fa;--card:#fff}
        @media(prefers-color-scheme:dark){:root{--ink:#e6eaf0;--soft:#9aa7b4;--line:#2c3540;--paper:#12171d;--card:#1a2129}}
        *{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);
        font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
        main{max-width:1380px;margin:0 auto;padding:32px 24px 64px}
        h1{font-size:26px;margin:0 0 4px}h2{font-size:17px;margin:36px 0 12px}p{margin:0 0 16px;color:var(--soft)}
        .cards,.figures,.tables{display:grid;gap:14px}.cards{grid-template-columns:repeat(auto-fit,minmax(165px,1fr));margin-top:22px}
        .figures{grid-template-columns:repeat(auto-fit,minmax(min(100%,540px),1fr))}
        .tables{grid-template-columns:repeat(auto-fit,minmax(min(100%,400px),1fr));align-items:start}
        .card,figure,.table{background:var(--card);border:1px solid var(--line);border-radius:10px;margin:0;padding:14px 16px}
        .card dt{color:var(--soft);font-size:13px}
        .card dd{margin:2px 0 0;font-size:22px;font-weight:600;font-variant-numeric:tabular-nums}.card small{display:block;color:var(--soft);font-size:12px;font-weight:400}
        figcaption{color:var(--soft);font-size:13px;margin-top:4px}figure svg{display:block;width:100%}
        .table{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}caption{text-align:left;font-weight:600;padding-bottom:6px}
        th,td{text-align:left;padding:5px 10px 5px 0;border-top:1px solid var(--line);vertical-align:top}
        thead th{border-top:0;color:var(--soft);font-weight:500}th{font-weight:500}td{overflow-wrap:anywhere}
        """;

    private readonly string _title;
    private readonly XElement _main;

    /// <summary>An empty page.</summary>
    /// <param name="title">Its title and heading.</param>
    /// <param name="subtitle">A line below it.</param>
    public HtmlPage(string title, string subtitle)
    {
        _title = XmlText.Clean(title);
        _main = new XElement("main", new XElement("h1", _title), new XElement("p", XmlText.Clean(subtitle)));
    }

    /// <summary>Begins a part.</summary>
    public void AddHeading(string text) => _main.Add(new XElement("h2", XmlText.Clean(text)));

    /// <summary>A few figures that stand out, each with a name, its value and a remark that may be empty.</summary>
    public void AddCards(IEnumerable<(string Name, string Value, string Remark)> cards) =>
        _main.Add(Block("dl", "cards", cards.Select(card => Block(
            "div", "card", new XElement("dt", XmlText.Clean(card.Name)), new XElement("dd", XmlText.Clean(card.Value), card.Remark.Length > 0 ? new XElement("small", XmlText.Clean(card.Remark)) : null)))));

    /// <summary>Drawings side by side, each with a caption.</summary>
    /// <param name="figures"><c>svg</c> elements and their captions.</param>
    public void AddFigures(IEnumerable<(XElement Svg, string Caption)> figures) =>
        _main.Add(Block("div", "figures", figures.Select(figure => new XElement("figure", figure.Svg, new XElement("figcaption", XmlText.Clean(figure.Caption))))));

    /// <summary>Tables side by side.</summary>
    public void AddTables(params IEnumerable<HtmlTable> tables) => _main.Add(Block("div", "tables", tables.Select(table => Block("div", "table", table.ToElement()))));

    /// <summary>The whole file, which is well-formed XML too.</summary>
    public override string ToString()
    {
        var html = new XElement(
            "html",
            new XAttribute("lang", "en"),
            new XElement(
                "head",
                new XElement("meta", new XAttribute("charset", "utf-8")),
                new XElement("meta", new XAttribute("name", "viewport"), new XAttribute("content", "width=device-width, initial-scale=1")),
                // Even if text found its way into the markup, it could run and fetch nothing.
                new XElement("meta", new XAttribute("http-equiv", "Content-Security-Policy"), new XAttribute("content", "default-src 'none'; style-src 'unsafe-inline'")),
                new XElement("title", _title),
                new XElement("style", Style.ReplaceLineEndings(""))),
            new XElement("body", _main));
        return $"<!DOCTYPE html>\n{html.ToString(SaveOptions.DisableFormatting)}\n";
    }

    /// <summary>Writes the file at once, so that it is never half written.</summary>
    public void Save(string path) => AtomicFile.WriteAllText(path, ToString());

    private static XElement Block(string name, string @class, params object?[] content) => new(name, new XAttribute("class", @class), content);
}
