using System.Text.Json.Serialization;

namespace LoraServe.Server.Surfaces.OpenAi.Messages;

/// <summary>What the assistant says, whole.</summary>
internal sealed record ChatAnswer
{
    public required string Id { get; init; }

    public string Object { get; } = "chat.completion";

    public required long Created { get; init; }

    public required string Model { get; init; }

    public required string SystemFingerprint { get; init; }

    public required IReadOnlyList<ChatChoice> Choices { get; init; }

    public required AnswerUsage Usage { get; init; }

    public required IReadOnlyList<AnsweringAdapter> Adapters { get; init; }
}

/// <summary>One of the n answers.</summary>
internal sealed record ChatChoice(int Index, AssistantMessage Message, ChatLogprobs? Logprobs, string? FinishReason);

/// <summary>The assistant's turn.</summary>
/// <param name="Content">What it says; null where it only calls tools.</param>
/// <param name="ToolCalls">What it calls; null where nothing.</param>
internal sealed record AssistantMessage(string? Content, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<CallMessage>? ToolCalls)
{
    public string Role { get; } = "assistant";

    public string? Refusal { get; }
}
