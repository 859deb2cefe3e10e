namespace LoraServe.Models.Text.ToolCalls;

/// <summary>Calls as a tool's name with a JSON object behind it: Mistral's newer models, DeepSeek, Kimi, Solar, Functionary.</summary>
/// <param name="name">What it is called.</param>
/// <param name="opening">What begins a call.</param>
/// <param name="separator">What stands between the name and the object.</param>
/// <param name="closing">What closes a call; empty where it ends with the object.</param>
internal sealed class NamedCallForm(string name, string opening, string separator, string closing) : ToolCallForm
{
    public override string Name => name;

    public override IReadOnlyList<string> Markers => [opening, separator, closing, NameFrom, NameTo, .. Around];

    /// <summary>What stands ahead of the name, where anything does; empty for nothing.</summary>
    public string NameFrom { get; init; } = "";

    /// <summary>What stands behind the name and is no part of it; empty for nothing.</summary>
    public string NameTo { get; init; } = "";

    /// <summary>What stands around all calls.</summary>
    public IReadOnlyList<string> Around { get; init; } = [];

    /// <summary>What templates write ahead of <see cref="NameFrom"/>; empty for nothing.</summary>
    public string Kind { get; init; } = "";

    /// <summary>Whether templates number calls behind <see cref="NameTo"/>.</summary>
    public bool IsNumbered { get; init; }

    internal override bool HasShortIds => opening == "[TOOL_CALLS]";

    internal override IReadOnlyList<string> Openings => [opening];

    internal override IReadOnlyList<string> Wrappers => Around;

    internal override IReadOnlyList<string> Signs => [opening, separator];

    internal override CallFrame Frame => new(
        Around.Count > 0 ? CallGrammar.Text(Around[0]) : "", Around.Count > 0 ? CallGrammar.Line : "", Around.Count > 0 ? CallGrammar.Text(Around[1]) : "");

    internal override string Spell(CallGrammar grammar, CalledTool tool)
    {
        string number = IsNumbered ? $"{CallGrammar.Text(NameTo)} [0-9]" : "";
        return $"{CallGrammar.Text(opening + Kind + NameFrom + tool.Name)} {number} {CallGrammar.Text(separator)} {CallGrammar.Line} "
            + $"{grammar.Json(tool.Schema)} {CallGrammar.Line} {CallGrammar.Text(closing)}";
    }

    internal override CallSyntax Begin(ToolSet tools) => new NamedCallSyntax(this, separator, closing);

    /// <summary>The name in what stands ahead of the separator.</summary>
    internal string NameIn(string written)
    {
        int from = NameFrom.Length == 0 ? -1 : written.IndexOf(NameFrom, StringComparison.Ordinal);
        string rest = from < 0 ? written : written[(from + NameFrom.Length)..];
        int to = NameTo.Length == 0 ? -1 : rest.IndexOf(NameTo, StringComparison.Ordinal);
        return (to < 0 ? rest : rest[..to]).Trim();
    }
}
