using System.Text.Json;

namespace LoraServe.Models.Text.ToolCalls;

/// <summary>Calls as Gemma's newer models write them: <c>call:name{key:value,…}</c>, where texts stand between two tokens and names bare.</summary>
/// <param name="name">What it is called.</param>
/// <param name="opening">What begins a call.</param>
/// <param name="closing">What closes it.</param>
/// <param name="quote">What stands ahead of a text and behind it.</param>
internal sealed class QuotedCallForm(string name, string opening, string closing, string quote) : ToolCallForm
{
    private const string AnyValue = "any value";

    private static readonly JsonElement s_scalar = JsonElement.Parse("""{"type": ["number", "boolean", "null"]}""");

    public override string Name => name;

    public override IReadOnlyList<string> Markers => [opening, closing, quote];

    internal override IReadOnlyList<string> Openings => [opening];

    internal override CallFrame Frame => new("", "", "");

    internal override string Spell(CallGrammar grammar, CalledTool tool) =>
        $"{CallGrammar.Text($"{opening}call:{tool.Name}{{")} {Members(grammar, tool, tool.Schema)} {CallGrammar.Text($"}}{closing}")}";

    private string Members(CallGrammar grammar, CalledTool tool, JsonElement schema) => grammar.List(
        [.. CalledTool.ParametersOf(schema).Select(member => ($"{CallGrammar.Text($"{member.Name}:")} {Value(grammar, tool, member.Schema)}", member.IsRequired))], "\",\"");

    // Texts are written otherwise than in JSON, and so is all that may have some within it.
    private string Value(CallGrammar grammar, CalledTool tool, JsonElement schema)
    {
        schema = tool.Resolved(schema);
        return CalledTool.TypeOf(schema) switch
        {
            "integer" or "number" or "boolean" or "null" => grammar.Json(tool.Alone(schema)),
            "string" when CalledTool.TextsOf(schema) is { } texts => CallGrammar.Either(texts.Select(text => CallGrammar.Text(quote + text + quote))),
            "string" => $"{CallGrammar.Text(quote)} {grammar.Until(quote)}",
            "array" => Recursive(() => Items(grammar, JsonText.Member(schema, "items") is { ValueKind: JsonValueKind.Object } items ? Value(grammar, tool, items) : Any(grammar))),
            "object" when JsonText.Member(schema, "properties") is { ValueKind: JsonValueKind.Object } => Recursive(() => $"\"{{\" {Members(grammar, tool, schema)} \"}}\""),
            _ => Any(grammar),
        };

        // A schema may have itself within it.
        string Recursive(Func<string> body) => grammar.Recursive(schema.GetRawText(), _ => body());
    }

    private static string Items(CallGrammar grammar, string item) => $"\"[\" ({Repeated(grammar, item)})? \"]\"";

    private static string Repeated(CallGrammar grammar, string item)
    {
        string one = grammar.Rule(item);
        return $"{one} (\",\" {one})*";
    }

    private string Any(CallGrammar grammar) => grammar.Recursive(AnyValue, any =>
    {
        string member = grammar.Rule($"[a-zA-Z_] [a-zA-Z0-9_]* \":\" {any}");
        return $"{CallGrammar.Text(quote)} {grammar.Until(quote)} | {grammar.Json(s_scalar)} | {Items(grammar, any)} | \"{{\" ({Repeated(grammar, member)})? \"}}\"";
    });

    internal override CallSyntax Begin(ToolSet tools) => new QuotedCallSyntax(closing, quote);
}
