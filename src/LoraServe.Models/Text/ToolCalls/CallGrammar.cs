using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace LoraServe.Models.Text.ToolCalls;

/// <summary>A grammar of tool calls, put together in GBNF with JSON schemas within.</summary>
internal sealed class CallGrammar
{
    /// <summary>Nothing, or a new line.</summary>
    public const string Line = "\"\\n\"?";

    /// <summary>Nothing, or a space.</summary>
    public const string Space = "\" \"?";

    private readonly StringBuilder _rules = new();
    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);
    private int _reserved;

    /// <summary>The whole.</summary>
    /// <param name="root">What an answer is.</param>
    public string Of(string root) => $"root ::= {root}\n{_rules}";

    /// <summary>A rule; the same again is the same rule.</summary>
    /// <returns>Its name.</returns>
    public string Rule(string body) => Recursive(body, _ => body);

    /// <summary>A rule that may have itself within it; what was asked for before is the same rule.</summary>
    /// <param name="what">What it is.</param>
    /// <param name="body">Its body, of its name.</param>
    /// <returns>Its name.</returns>
    public string Recursive(string what, Func<string, string> body)
    {
        if (!_names.TryGetValue(what, out string? name))
        {
            _names.Add(what, name = Reserve());
            Define(name, body(name));
        }

        return name;
    }

    /// <summary>A text as it is.</summary>
    public static string Text(string text)
    {
        var literal = new StringBuilder("\"");
        foreach (char letter in text)
        {
            literal.Append(letter switch { '"' => "\\\"", '\\' => "\\\\", '\n' => "\\n", '\r' => "\\r", '\t' => "\\t", _ => letter.ToString() });
        }

        return literal.Append('"').ToString();
    }

    /// <summary>A text as JSON writes it.</summary>
    public static string Quoted(string text) => Text($"\"{JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(text)}\"");

    /// <summary>JSON texts that satisfy a schema.</summary>
    /// <param name="schema">The schema.</param>
    /// <param name="avoided">A marker that ends them, wherever it stands, so that none of its beginning is in them; empty for none.</param>
    public string Json(JsonElement schema, string avoided = "") => Rule($"%json{(avoided.Length > 0 ? $"[{Escaped(avoided[0])}]" : "")} {schema.GetRawText()}");

    /// <summary>Any of some.</summary>
    public static string Either(IEnumerable<string> alternatives) => $"({string.Join(" | ", alternatives)})";

    /// <summary>Any text up to a marker, and the marker.</summary>
    /// <remarks>The automaton of Knuth, Morris and Pratt: a rule for each number of the marker's letters that have been written last.</remarks>
    public string Until(string marker)
    {
        int[] borders = new int[marker.Length + 1];
        borders[0] = -1;
        for (int i = 0, border = -1; i < marker.Length; borders[++i] = ++border)
        {
            while (border >= 0 && marker[border] != marker[i])
            {
                border = borders[border];
            }
        }

        char[] letters = [.. marker.Distinct()];
        string[] states = [.. marker.Select(_ => Reserve())];
        for (int state = 0; state < marker.Length; state++)
        {
            var ways = new List<string> { $"[^{string.Concat(letters.Select(Escaped))}] {states[0]}" };
            foreach (char letter in letters)
            {
                int at = state;
                while (at >= 0 && marker[at] != letter)
                {
                    at = borders[at];
                }

                ways.Add(at + 1 == marker.Length ? Text(letter.ToString()) : $"{Text(letter.ToString())} {states[at + 1]}");
            }

            Define(states[state], string.Join(" | ", ways));
        }

        return states[0];
    }

    /// <summary>Some things in their order, of which some may be left out.</summary>
    /// <param name="items">What they are, and whether each must be there.</param>
    /// <param name="separator">What stands between two of them; empty for nothing.</param>
    public string List(IReadOnlyList<(string Item, bool IsRequired)> items, string separator)
    {
        // From the last to the first: what may follow an item is a rule, made once for all that may come before it.
        string after = "";
        var wholes = new List<string> { "\"\"" };
        foreach ((string item, bool isRequired) in items.Reverse())
        {
            if (isRequired)
            {
                wholes.Clear();
            }

            wholes.Add($"{item} {after}");
            string next = $"{separator} {item} {after}";
            after = Rule(isRequired ? next : after.Length > 0 ? $"{next} | {after}" : $"({next})?");
        }

        return Either(wholes);
    }

    private string Reserve() => FormattableString.Invariant($"r{_reserved++}");

    private void Define(string name, string body) => _rules.Append(name).Append(" ::= ").Append(body).Append('\n');

    private static string Escaped(char letter) => letter switch
    {
        '\n' => "\\n",
        '\\' or ']' or '[' or '-' or '^' or '"' => $"\\{letter}",
        _ => letter.ToString(),
    };
}
