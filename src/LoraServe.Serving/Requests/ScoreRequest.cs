namespace LoraServe.Serving.Requests;

/// <summary>Asks how likely given texts are. Prompt and continuations are each given as text or as tokens.</summary>
public sealed record ScoreRequest : RequestOptions
{
    /// <summary>Text that comes first and is not scored; may be absent.</summary>
    public string? Prompt { get; init; }

    /// <summary>Instead of <see cref="Prompt"/>: its tokens.</summary>
    public IReadOnlyList<int>? PromptTokens { get; init; }

    /// <summary>Texts, each scored after the prompt. None here nor as tokens: the prompt itself is scored from its second token on.</summary>
    public IReadOnlyList<string> Continuations { get; init; } = [];

    /// <summary>Instead of <see cref="Continuations"/>: their tokens.</summary>
    public IReadOnlyList<IReadOnlyList<int>> ContinuationTokens { get; init; } = [];

    /// <summary>Whether a text prompt gets the tokens that the tokenizer puts around a text.</summary>
    /// <value>True by default.</value>
    public bool AddSpecialTokens { get; init; } = true;
}
