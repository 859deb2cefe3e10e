using System.Text.Json;
using LoraServe.Models.Text.ToolCalls;

namespace LoraServe.Models.Text;

/// <summary>A conversation with a tool call, by which a chat template shows how it writes one.</summary>
internal static class CallProbe
{
    /// <summary>A value that occurs nowhere else in what a template writes.</summary>
    public const string Value = "Zq7";

    private const string ToolName = "f";

    /// <summary>The only tool.</summary>
    public static readonly JsonElement Tools = JsonElement.Parse("""
        [{"type": "function", "function": {"name": "f", "description": "", "parameters": {"type": "object", "properties": {"x": {"type": "string", "description": ""}}, "required": ["x"]}}}]
        """);

    /// <summary>The call.</summary>
    public static readonly ToolCall Call = new("call00001", ToolName, $$"""{"x": "{{Value}}"}""");

    /// <summary>What the user says.</summary>
    public static readonly IReadOnlyDictionary<string, object?> Question = new Dictionary<string, object?> { ["role"] = "user", ["content"] = "q" };

    /// <summary>The assistant's turn, which is the call.</summary>
    public static readonly IReadOnlyDictionary<string, object?> Turn = new Dictionary<string, object?>
    {
        ["role"] = "assistant",
        ["content"] = "",
        ["tool_calls"] = JsonSerializer.SerializeToElement(new[] { new { id = Call.Id, type = "function", function = new { name = Call.Name, arguments = new { x = Value } } } }),
    };
}
