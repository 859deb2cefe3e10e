using System.Text.Json;

namespace LoraServe.Models.Text.ToolCalls;

/// <summary>Calls whose arguments stand one by one between tags, as they are: Qwen's coders and Nemotron 3, Seed, MiniMax, DeepSeek since 3.2, GLM, Hunyuan.</summary>
/// <remarks>What type a value has, the tool's schema says; of a parameter that has none, the value itself.</remarks>
internal sealed class ParameterCallForm : ToolCallForm
{
    private readonly string _name;

    /// <param name="name">What it is called.</param>
    /// <param name="opening">What begins calls.</param>
    public ParameterCallForm(string name, string opening)
    {
        _name = name;
        Openings = [opening];
    }

    public override string Name => _name;

    public override IReadOnlyList<string> Markers => [.. Openings, Closing, NameFrom, NameTo, KeyFrom, KeyTo, ValueFrom, ValueTo, End, .. Around];

    /// <summary>What closes all calls; empty where a call's end does.</summary>
    public string Closing { get; init; } = "";

    /// <summary>What stands ahead of a tool's name; empty where it stands behind the opening.</summary>
    public string NameFrom { get; init; } = "";

    /// <summary>What stands behind it; empty where the first argument does, or the end.</summary>
    public string NameTo { get; init; } = "";

    /// <summary>What stands ahead of an argument's name.</summary>
    public required string KeyFrom { get; init; }

    /// <summary>What stands behind it.</summary>
    public required string KeyTo { get; init; }

    /// <summary>What stands ahead of a value besides; empty for nothing.</summary>
    public string ValueFrom { get; init; } = "";

    /// <summary>What stands behind a value.</summary>
    public required string ValueTo { get; init; }

    /// <summary>What ends a call.</summary>
    public required string End { get; init; }

    /// <summary>What stands around all calls and means nothing itself.</summary>
    public IReadOnlyList<string> Around { get; init; } = [];

    /// <summary>Whether templates write with each argument whether it is a text.</summary>
    public bool MarksTexts { get; init; }

    internal override IReadOnlyList<string> Openings { get; }

    internal override IReadOnlyList<string> Wrappers => Around;

    internal override IReadOnlyList<string> Signs => [.. Openings, KeyFrom];

    internal override CallFrame Frame =>
        new(Around.Count > 0 ? $"{CallGrammar.Text(Around[0])} {CallGrammar.Line}" : "", CallGrammar.Line, Around.Count > 0 ? $"{CallGrammar.Line} {CallGrammar.Text(Around[1])}" : "");

    internal override string Spell(CallGrammar grammar, CalledTool tool)
    {
        IReadOnlyList<(string, bool)> arguments = [.. tool.Parameters.Select(parameter => (Spell(grammar, tool, parameter.Name, parameter.Schema), parameter.IsRequired))];
        string begin = NameFrom.Length > 0 ? $"{CallGrammar.Text(Openings[0])} {CallGrammar.Line} {CallGrammar.Text(NameFrom + tool.Name + NameTo)}" : CallGrammar.Text(Openings[0] + tool.Name + NameTo);
        string close = Closing.Length > 0 ? $"{CallGrammar.Line} {CallGrammar.Text(Closing)}" : "";
        return $"{begin} {CallGrammar.Line} {grammar.List(arguments, "")} {CallGrammar.Text(End)} {close}";
    }

    private string Spell(CallGrammar grammar, CalledTool tool, string name, JsonElement schema)
    {
        bool isText = CalledTool.TypeOf(schema) == "string";
        string mark = KeyFrom.EndsWith('"') ? "\"" : "";
        mark += MarksTexts ? isText ? " string=\"true\"" : " string=\"false\"" : "";
        string from = ValueFrom.Length > 0 ? $"{CallGrammar.Line} {CallGrammar.Text(ValueFrom)}" : "";
        string value = !isText ? $"{CallGrammar.Line} {grammar.Json(tool.Alone(schema), ValueTo)} {CallGrammar.Line} {CallGrammar.Text(ValueTo)}"
            : CalledTool.TextsOf(schema) is { } texts ? $"{CallGrammar.Line} {CallGrammar.Either(texts.Select(CallGrammar.Text))} {CallGrammar.Line} {CallGrammar.Text(ValueTo)}"
            : grammar.Until(ValueTo);
        return $"{CallGrammar.Text(KeyFrom + name + mark + KeyTo)} {from} {value} {CallGrammar.Line}";
    }

    internal override CallSyntax Begin(ToolSet tools) => new ParameterCallSyntax(this, tools);
}
