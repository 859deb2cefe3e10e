using System.Text.Json.Serialization;

namespace LoraServe.Server.Surfaces.OpenAi.Messages;

/// <summary>Continued prompts, whole or a part of a stream.</summary>
internal sealed record CompletionAnswer
{
    public required string Id { get; init; }

    public string Object { get; } = "text_completion";

    public required long Created { get; init; }

    public required string Model { get; init; }

    public required string SystemFingerprint { get; init; }

    public IReadOnlyList<CompletionChoice> Choices { get; init; } = [];

    /// <summary>Also null: where a stream ends with it, its other parts have none.</summary>
    public AnswerUsage? Usage { get; init; }

    /// <summary>In the first part of a stream.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<AnsweringAdapter>? Adapters { get; init; }
}
