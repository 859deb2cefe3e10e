namespace LoraServe.Models.Text.ToolCalls;

/// <summary>Calls as Llama 3 writes them: a JSON object with a name and parameters that the answer begins with, or a text that announces code; several with semicolons between them.</summary>
/// <remarks>An answer may be JSON of other meaning, so only an object that names one of the tools is a call.</remarks>
internal sealed class LlamaCallForm : ToolCallForm
{
    private const string CodeTag = "<|python_tag|>";

    public override string Name => "llama3";

    public override IReadOnlyList<string> Markers => [CodeTag];

    internal override IReadOnlyList<string> Openings => [CodeTag];

    internal override char? First => '{';

    internal override IReadOnlyList<string> Signs => ["<|start_header_id|>", "\"parameters\": dictionary of argument name"];

    internal override CallFrame Frame => new("", "\"; \"", "");

    internal override string Spell(CallGrammar grammar, CalledTool tool) => JsonCallForm.Spell(grammar, tool, "name", "parameters");

    internal override CallSyntax Begin(ToolSet tools) => new JsonCallSyntax(closing: "", isNamedByKey: false, tools);
}
