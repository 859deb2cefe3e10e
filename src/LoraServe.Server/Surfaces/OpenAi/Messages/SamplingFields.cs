using System.Text.Json;

namespace LoraServe.Server.Surfaces.OpenAi.Messages;

/// <summary>What requests for completions and for chats have in common. What is null was not sent.</summary>
internal abstract record SamplingFields
{
    /// <summary>The base model, an adapter, a version of it, an alias, or several adapters.</summary>
    public string? Model { get; init; }

    public int? MaxTokens { get; init; }

    public float? Temperature { get; init; }

    public float? TopP { get; init; }

    public int? N { get; init; }

    /// <summary>A text, or a list of texts.</summary>
    public JsonElement Stop { get; init; }

    public long? Seed { get; init; }

    public float? PresencePenalty { get; init; }

    public float? FrequencyPenalty { get; init; }

    /// <summary>By token id.</summary>
    public IReadOnlyDictionary<string, float>? LogitBias { get; init; }

    public bool? Stream { get; init; }

    public StreamOptions? StreamOptions { get; init; }

    /// <summary>As vLLM has it, like all below: -1 and 0 keep all.</summary>
    public int? TopK { get; init; }

    public float? MinP { get; init; }

    public float? RepetitionPenalty { get; init; }

    public IReadOnlyList<int>? StopTokenIds { get; init; }

    public bool? IgnoreEos { get; init; }

    public int? MinTokens { get; init; }

    /// <summary>What the answer must be, in OpenAI's form.</summary>
    public JsonElement ResponseFormat { get; init; }

    /// <summary>The same as vLLM has it.</summary>
    public StructuredOutputs? StructuredOutputs { get; init; }

    /// <summary>Taken and not used, as all below: the key says who calls.</summary>
    public string? User { get; init; }

    public JsonElement Metadata { get; init; }

    public bool? Store { get; init; }

    public string? ServiceTier { get; init; }

    public string? SafetyIdentifier { get; init; }

    public string? PromptCacheKey { get; init; }

    public string? PromptCacheRetention { get; init; }
}
