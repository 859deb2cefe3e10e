using System.Text.Json;

namespace LoraServe.Templates;

/// <summary>One message of a conversation, as chat templates see it.</summary>
/// <param name="Role">Who speaks: <c>system</c>, <c>user</c>, <c>assistant</c>, <c>tool</c> or what the template knows.</param>
/// <param name="Content">The text.</param>
public sealed record ChatMessage(string Role, string Content)
{
    /// <summary>The tool calls that an assistant made, a JSON array; not defined in the template when null.</summary>
    public JsonElement? ToolCalls { get; init; }

    /// <summary>Which call a tool message answers; not defined in the template when null.</summary>
    public string? ToolCallId { get; init; }

    /// <summary>The name of the speaker or the tool; not defined in the template when null.</summary>
    public string? Name { get; init; }

    internal Dictionary<string, object?> ToVariables()
    {
        Dictionary<string, object?> fields = new() { ["role"] = Role, ["content"] = Content };
        if (ToolCalls is { } calls)
        {
            fields["tool_calls"] = calls;
        }

        if (ToolCallId is not null)
        {
            fields["tool_call_id"] = ToolCallId;
        }

        if (Name is not null)
        {
            fields["name"] = Name;
        }

        return fields;
    }
}
