namespace LoraServe.Models.Text.ToolCalls;

/// <summary>
/// Calls as JSON objects with a name and arguments, one or several, alone or in an array, between two texts: what Hermes and Qwen write,
/// Mistral's older models, Granite, Command R and others.
/// </summary>
/// <param name="name">What it is called.</param>
/// <param name="opening">What begins calls.</param>
/// <param name="closing">What closes them; empty where they end with the answer, or with anything that is no call.</param>
internal sealed class JsonCallForm(string name, string opening, string closing) : ToolCallForm
{
    public override string Name => name;

    public override IReadOnlyList<string> Markers => [opening, closing];

    /// <summary>Whether an object's only name is the tool's, and its value the arguments.</summary>
    public bool IsNamedByKey { get; init; }

    /// <summary>Whether templates write the objects as an array; else each stands in marks of its own.</summary>
    public bool IsArray { get; init; }

    /// <summary>What an object calls the tool's name, where templates write it.</summary>
    public string NameKey { get; init; } = "name";

    /// <summary>What an object calls the arguments, where templates write it.</summary>
    public string ArgumentsKey { get; init; } = "arguments";

    internal override bool HasShortIds => opening == "[TOOL_CALLS]";

    internal override IReadOnlyList<string> Openings => [opening];

    internal override CallFrame Frame => IsArray
        ? new CallFrame($"{CallGrammar.Text(opening)} {CallGrammar.Space} \"[\"", $"\",\" {CallGrammar.Space}", $"\"]\" {CallGrammar.Text(closing)}")
        : new CallFrame(
            $"{CallGrammar.Text(opening)} {CallGrammar.Line}",
            closing.Length == 0 ? null : $"{CallGrammar.Line} {CallGrammar.Text(closing)} {CallGrammar.Line} {CallGrammar.Text(opening)} {CallGrammar.Line}",
            closing.Length == 0 ? "" : $"{CallGrammar.Line} {CallGrammar.Text(closing)}");

    internal override string Spell(CallGrammar grammar, CalledTool tool) => IsNamedByKey
        ? $"\"{{\" {CallGrammar.Quoted(tool.Name)} \":\" {CallGrammar.Space} {grammar.Json(tool.Schema)} \"}}\""
        : Spell(grammar, tool, NameKey, ArgumentsKey);

    /// <summary>A call as an object with two members.</summary>
    internal static string Spell(CallGrammar grammar, CalledTool tool, string nameKey, string argumentsKey) =>
        $"\"{{\" {Key(nameKey)} {CallGrammar.Quoted(tool.Name)} \",\" {CallGrammar.Space} {Key(argumentsKey)} {grammar.Json(tool.Schema)} \"}}\"";

    private static string Key(string key) => $"{CallGrammar.Quoted(key)} \":\" {CallGrammar.Space}";

    internal override CallSyntax Begin(ToolSet tools) => new JsonCallSyntax(closing, IsNamedByKey, tools: null);
}
