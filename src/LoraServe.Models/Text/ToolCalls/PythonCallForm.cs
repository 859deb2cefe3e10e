namespace LoraServe.Models.Text.ToolCalls;

/// <summary>Calls as Python writes them, one or several in a block: what Gemma's prompts ask for, and LFM2.</summary>
/// <param name="name">What it is called.</param>
/// <param name="opening">What begins a block.</param>
/// <param name="closing">What closes it.</param>
internal sealed class PythonCallForm(string name, string opening, string closing) : ToolCallForm
{
    public override string Name => name;

    public override IReadOnlyList<string> Markers => [opening, closing];

    internal override IReadOnlyList<string> Openings => [opening];

    internal override CallSyntax Begin(ToolSet tools) => new PythonCallSyntax(closing);
}
