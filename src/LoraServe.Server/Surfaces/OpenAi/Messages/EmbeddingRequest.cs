using System.Text.Json;

namespace LoraServe.Server.Surfaces.OpenAi.Messages;

/// <summary>Texts to embed.</summary>
internal sealed record EmbeddingRequest
{
    public string? Model { get; init; }

    /// <summary>A text, its token ids, or a list of either.</summary>
    public JsonElement Input { get; init; }

    /// <summary>How vectors are written: <c>float</c> or <c>base64</c>.</summary>
    public string? EncodingFormat { get; init; }

    /// <summary>How much of each vector is wanted; what is left of it has length 1 again.</summary>
    public int? Dimensions { get; init; }

    /// <summary>Taken and not used.</summary>
    public string? User { get; init; }
}
