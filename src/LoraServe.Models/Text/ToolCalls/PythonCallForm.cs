namespace LoraServe.Models.Text.ToolCalls;

/// <summary>Calls as Python writes them, one or several in a block: what Gemma's prompts ask for, and LFM2.</summary>
/// <param name="name">What it is called.</param>
/// <param name="opening">What begins a block.</param>
/// <param name="closing">What closes it.</param>
internal sealed class PythonCallForm(string name, string opening, string closing) : ToolCallForm
{
    public override string Name => name;

    public override IReadOnlyList<string> Markers => [opening, closing];

    /// <summary>Whether templates write a list of calls; else each stands on a line of its own.</summary>
    public bool IsList { get; init; }

    internal override IReadOnlyList<string> Openings => [opening];

    internal override CallFrame Frame => IsList
        ? new CallFrame(CallGrammar.Text($"{opening}["), "\", \"", CallGrammar.Text($"]{closing}"))
        : new CallFrame(CallGrammar.Text($"{opening}\n"), CallGrammar.Text("\n"), CallGrammar.Text($"\n{closing}"));

    internal override string Spell(CallGrammar grammar, CalledTool tool)
    {
        IReadOnlyList<(string, bool)> arguments =
            [.. tool.Parameters.Select(parameter => ($"{CallGrammar.Text($"{parameter.Name}=")} {grammar.Json(tool.Alone(parameter.Schema), closing)}", parameter.IsRequired))];
        return $"{CallGrammar.Text($"{tool.Name}(")} {grammar.List(arguments, CallGrammar.Text(", "))} \")\"";
    }

    internal override CallSyntax Begin(ToolSet tools) => new PythonCallSyntax(closing);
}
