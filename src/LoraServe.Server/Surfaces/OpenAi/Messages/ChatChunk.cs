using System.Text.Json.Serialization;

namespace LoraServe.Server.Surfaces.OpenAi.Messages;

/// <summary>A part of a chat's stream.</summary>
internal sealed record ChatChunk
{
    public required string Id { get; init; }

    public string Object { get; } = "chat.completion.chunk";

    public required long Created { get; init; }

    public required string Model { get; init; }

    public required string SystemFingerprint { get; init; }

    public IReadOnlyList<ChunkChoice> Choices { get; init; } = [];

    /// <summary>Also null: where a stream ends with it, its other parts have none.</summary>
    public AnswerUsage? Usage { get; init; }

    /// <summary>In the first part.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<AnsweringAdapter>? Adapters { get; init; }
}

/// <summary>What came of one of the n answers.</summary>
internal sealed record ChunkChoice(int Index, MessageDelta Delta, ChatLogprobs? Logprobs, string? FinishReason);

/// <summary>What is added to the assistant's turn.</summary>
internal sealed record MessageDelta(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Role,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Content,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<CallMessage>? ToolCalls = null);
