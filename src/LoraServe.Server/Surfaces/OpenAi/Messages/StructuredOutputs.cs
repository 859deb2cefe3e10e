using System.Text.Json;

namespace LoraServe.Server.Surfaces.OpenAi.Messages;

/// <summary>What an answer must be, as vLLM has it: one of these.</summary>
internal sealed record StructuredOutputs
{
    /// <summary>A JSON schema, or its text.</summary>
    public JsonElement Json { get; init; }

    public string? Regex { get; init; }

    public IReadOnlyList<string>? Choice { get; init; }

    public string? Grammar { get; init; }

    public bool? JsonObject { get; init; }
}
