using System.Collections.Immutable;

namespace LoraServe.Serving.Requests;

/// <summary>A prompt to continue, as text or as tokens; exactly one of them is set.</summary>
public sealed record GenerationRequest : RequestOptions
{
    /// <summary>The prompt as text.</summary>
    public string? Prompt { get; init; }

    /// <summary>The prompt as tokens, taken as they are.</summary>
    public IReadOnlyList<int>? PromptTokens { get; init; }

    /// <summary>Whether a text prompt gets the tokens that the tokenizer puts around a text, such as the begin token. Off for what a chat template made.</summary>
    /// <value>True by default.</value>
    public bool AddSpecialTokens { get; init; } = true;

    /// <summary>How tokens are chosen and when generation ends.</summary>
    public SamplingOptions Sampling { get; init; } = new();

    /// <summary>Special tokens that have text in answers all the same, such as those around tool calls. Others have none.</summary>
    public IReadOnlySet<int> VisibleTokens { get; init; } = ImmutableHashSet<int>.Empty;

    /// <summary>Gives the prompt back, to be put in front of each answer; with its tokens' log-probabilities where those of the answer are asked for.</summary>
    public bool Echo { get; init; }
}
