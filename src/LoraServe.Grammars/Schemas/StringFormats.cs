using LoraServe.Grammars.Patterns;
using LoraServe.Grammars.Rules;

namespace LoraServe.Grammars.Schemas;

/// <summary>The formats of strings that are known: for each a pattern whose texts are all of the format, if not all that are.</summary>
internal static class StringFormats
{
    // Years are those that every library's calendar has, whatever the offset.
    private const string LeapYear = @"(?:[12]\d(?:0[48]|[2468][048]|[13579][26])|(?:12|16|20|24|28)00)";
    private const string Date = $@"(?:[12]\d{{3}}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|02-(?:0[1-9]|1\d|2[0-8]))|{LeapYear}-02-29)";
    private const string Time = @"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?(?:Z|[+-](?:0\d|1[0-3]):[0-5]\d)";
    private const string Octet = @"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)";
    private const string Label = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?";
    private const string Host = $@"{Label}(?:\.{Label}){{0,3}}";

    private static readonly Dictionary<string, string> s_patterns = new()
    {
        ["date"] = Date,
        ["time"] = Time,
        ["date-time"] = $"{Date}T{Time}",
        ["duration"] = @"P(?:\d{1,6}W|\d{1,6}D(?:T\d{1,6}H(?:\d{1,6}M(?:\d{1,6}S)?)?)?|T\d{1,6}H(?:\d{1,6}M(?:\d{1,6}S)?)?|T\d{1,6}M(?:\d{1,6}S)?|T\d{1,6}S)",
        ["uuid"] = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}",
        ["email"] = $@"[A-Za-z0-9_+-]{{1,20}}(?:\.[A-Za-z0-9_+-]{{1,10}}){{0,3}}@{Label}(?:\.{Label}){{0,2}}\.[A-Za-z]{{2,10}}",
        ["hostname"] = Host,
        ["ipv4"] = $@"{Octet}(?:\.{Octet}){{3}}",
        ["ipv6"] = "[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{1,4}){7}",
        ["uri"] = $@"https?://{Host}(?::[1-9]\d{{0,3}})?(?:/[A-Za-z0-9._~-]{{0,60}}){{0,10}}(?:\?[A-Za-z0-9._~=&-]{{0,200}})?(?:#[A-Za-z0-9._~-]{{0,60}})?",
    };

    /// <summary>Their names, for errors.</summary>
    public static string Names => string.Join(", ", s_patterns.Keys.Order(StringComparer.Ordinal));

    /// <summary>What stands within quotes; null where the format is not known.</summary>
    /// <param name="format">Its name.</param>
    /// <param name="spelling">How characters are written.</param>
    public static Expression? TryRead(string format, JsonSpelling spelling) =>
        s_patterns.TryGetValue(format, out string? pattern) ? PatternReader.Read(pattern, format, spelling.One, isSearch: false) : null;
}
