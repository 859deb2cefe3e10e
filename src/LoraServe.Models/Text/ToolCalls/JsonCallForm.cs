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

    internal override bool HasShortIds => opening == "[TOOL_CALLS]";

    internal override IReadOnlyList<string> Openings => [opening];

    internal override CallSyntax Begin(ToolSet tools) => new JsonCallSyntax(closing, IsNamedByKey, tools: null);
}
