using System.Globalization;
using System.Text;

namespace LoraServe.Server.Metrics;

/// <summary>OpenTelemetry's names and units in Prometheus' spelling.</summary>
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

    /// <summary>A tag's value as a label's.</summary>
    public static string Value(object? value) => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";

    /// <summary>A name with <c>_</c> for each letter that Prometheus does not take.</summary>
    public static string Identifier(string name) =>
        string.Concat(name.Select((letter, index) => char.IsAsciiLetter(letter) || letter == '_' || (index > 0 && char.IsAsciiDigit(letter)) ? letter : '_'));
}
