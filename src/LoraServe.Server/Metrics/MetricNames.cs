using System.Globalization;
using System.Text;

namespace LoraServe.Server.Metrics;

/// <summary>OpenTelemetry's names, units and tags in Prometheus' spelling.</summary>
internal static class MetricNames
{
    /// <summary><c>loraserve.engine.step.duration</c> in <c>s</c> becomes <c>loraserve_engine_step_duration_seconds</c>.</summary>
    public static string Of(string name, string? unit, bool isCounter)
    {
        var spelled = new StringBuilder(Identifier(name));
        string suffix = unit switch
        {
            null or "" or "1" => "",
            "s" => "_seconds",
            "By" => "_bytes",
            _ when unit.StartsWith('{') => "",
            _ => $"_{Identifier(unit)}",
        };
        if (suffix.Length > 0 && !spelled.ToString().EndsWith(suffix, StringComparison.Ordinal))
        {
            spelled.Append(suffix);
        }

        return isCounter ? spelled.Append("_total").ToString() : spelled.ToString();
    }

    /// <summary>Tags as <c>name="value"</c> pairs in order of name.</summary>
    public static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.IsEmpty)
        {
            return "";
        }

        KeyValuePair<string, object?>[] sorted = tags.ToArray();
        Array.Sort(sorted, static (a, b) => string.CompareOrdinal(a.Key, b.Key));
        return string.Join(',', sorted.Select(tag =>
            $"{Identifier(tag.Key)}=\"{EscapeValue(Convert.ToString(tag.Value, CultureInfo.InvariantCulture) ?? "")}\""));
    }

    /// <summary>Help texts escape the backslash and the line feed.</summary>
    public static string EscapeHelp(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    private static string EscapeValue(string text) => EscapeHelp(text).Replace("\"", "\\\"", StringComparison.Ordinal);

    private static string Identifier(string name) =>
        string.Concat(name.Select((letter, index) => char.IsAsciiLetter(letter) || letter == '_' || (index > 0 && char.IsAsciiDigit(letter)) ? letter : '_'));
}
