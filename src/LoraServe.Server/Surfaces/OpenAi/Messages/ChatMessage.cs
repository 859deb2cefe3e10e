using System.Text.Json;

namespace LoraServe.Server.Surfaces.OpenAi.Messages;

/// <summary>A turn of a conversation that a caller sends.</summary>
internal sealed record ChatMessage
{
    public string? Role { get; init; }

    /// <summary>A text, or a list of parts that are texts.</summary>
    public JsonElement Content { get; init; }

    public string? Name { get; init; }

    /// <summary>An assistant's, as the template takes them.</summary>
    public IReadOnlyList<JsonElement>? ToolCalls { get; init; }

    /// <summary>Which call a tool answers.</summary>
    public string? ToolCallId { get; init; }

    /// <summary>What an assistant said instead of an answer; clients send back what they got.</summary>
    public string? Refusal { get; init; }

    /// <summary>What an assistant thought, where the template writes it; as vLLM has it.</summary>
    public string? ReasoningContent { get; init; }

    /// <summary>Only null, which clients send back as they got it.</summary>
    public JsonElement Audio { get; init; }

    /// <summary>Only null; <see cref="ToolCalls"/> took its place.</summary>
    public JsonElement FunctionCall { get; init; }

    /// <summary>Only empty.</summary>
    public IReadOnlyList<JsonElement>? Annotations { get; init; }
}
