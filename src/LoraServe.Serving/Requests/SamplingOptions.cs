using System.Collections.Immutable;

namespace LoraServe.Serving.Requests;

/// <summary>How tokens are chosen and when generation ends.</summary>
/// <remarks>Applied in this order: penalties, bias, constraint, temperature, top-k, top-p, min-p.</remarks>
public sealed record SamplingOptions
{
    /// <summary>Most tokens to generate; what does not fit into the context is cut. With 0 the prompt is computed and nothing else.</summary>
    /// <value>256 by default.</value>
    public int MaxTokens { get; init; } = 256;

    /// <summary>Divides the logits; 0 takes the most likely token, the lowest id where several are.</summary>
    /// <value>0 by default.</value>
    public float Temperature { get; init; }

    /// <summary>Keeps only this many of the most likely tokens; 0 keeps all.</summary>
    public int TopK { get; init; }

    /// <summary>Keeps the smallest set of most likely tokens whose probability reaches this; over 0, up to 1.</summary>
    /// <value>1 (all) by default.</value>
    public float TopP { get; init; } = 1;

    /// <summary>Drops tokens less likely than this share of the most likely one; 0 to 1.</summary>
    public float MinP { get; init; }

    /// <summary>Divides positive and multiplies negative logits of tokens that the prompt or the answer has; over 0.</summary>
    /// <value>1 (off) by default.</value>
    public float RepetitionPenalty { get; init; } = 1;

    /// <summary>Taken from the logits of tokens that the answer has; −2 to 2.</summary>
    public float PresencePenalty { get; init; }

    /// <summary>Taken from the logits once for each time that the answer has the token; −2 to 2.</summary>
    public float FrequencyPenalty { get; init; }

    /// <summary>Added to the logits of these tokens; −100 to 100.</summary>
    public IReadOnlyDictionary<int, float> LogitBias { get; init; } = ImmutableDictionary<int, float>.Empty;

    /// <summary>Same seed and request, same tokens, whatever else runs. Null: a seed of the engine's choice.</summary>
    public ulong? Seed { get; init; }

    /// <summary>Generation ends before any of these texts; they are not part of the answer.</summary>
    public IReadOnlyList<string> Stop { get; init; } = [];

    /// <summary>Generation ends at any of these tokens.</summary>
    public IReadOnlyList<int> StopTokenIds { get; init; } = [];

    /// <summary>Goes on past the model's end token.</summary>
    public bool IgnoreEndToken { get; init; }

    /// <summary>Neither the end token nor a stop id can come before this many tokens.</summary>
    public int MinTokens { get; init; }

    /// <summary>Answers to draw for the prompt, which is computed once.</summary>
    /// <value>1 by default.</value>
    public int Choices { get; init; } = 1;

    /// <summary>What texts the answer may be; null: any. It ends, as by an end token, where its text cannot go on, and end tokens come only where it is whole.</summary>
    public Constraint? Constraint { get; init; }

    /// <summary>Log-probability of each token, and of this many most likely ones, by the model's own word: before penalties, bias and constraint. Null: none.</summary>
    public int? LogProbabilities { get; init; }
}
