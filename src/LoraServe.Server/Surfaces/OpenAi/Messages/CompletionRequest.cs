using System.Text.Json;

namespace LoraServe.Server.Surfaces.OpenAi.Messages;

/// <summary>Prompts to continue.</summary>
internal sealed record CompletionRequest : SamplingFields
{
    /// <summary>A text, its token ids, or a list of either.</summary>
    public JsonElement Prompt { get; init; }

    public bool? Echo { get; init; }

    public int? Logprobs { get; init; }

    /// <summary>Refused where it is not <see cref="SamplingFields.N"/>.</summary>
    public int? BestOf { get; init; }

    /// <summary>Refused: models here continue a text, and fill in nothing.</summary>
    public string? Suffix { get; init; }
}
