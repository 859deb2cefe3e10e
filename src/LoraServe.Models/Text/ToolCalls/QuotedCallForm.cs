namespace LoraServe.Models.Text.ToolCalls;

/// <summary>Calls as Gemma's newer models write them: <c>call:name{key:value,…}</c>, where texts stand between two tokens and names bare.</summary>
/// <param name="name">What it is called.</param>
/// <param name="opening">What begins a call.</param>
/// <param name="closing">What closes it.</param>
/// <param name="quote">What stands ahead of a text and behind it.</param>
internal sealed class QuotedCallForm(string name, string opening, string closing, string quote) : ToolCallForm
{
    public override string Name => name;

    public override IReadOnlyList<string> Markers => [opening, closing, quote];

    internal override IReadOnlyList<string> Openings => [opening];

    internal override CallSyntax Begin(ToolSet tools) => new QuotedCallSyntax(closing, quote);
}
