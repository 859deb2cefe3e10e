namespace LoraServe.Serving.Requests;

/// <summary>One token of one choice, as it is generated.</summary>
public readonly record struct GeneratedToken
{
    /// <summary>Which of the n answers it belongs to, from 0.</summary>
    public int Choice { get; init; }

    /// <summary>The token.</summary>
    public int TokenId { get; init; }

    /// <summary>The text that is certain now; empty while a character or a possible stop text is unfinished, and for the end token.</summary>
    public string Text { get; init; }

    /// <summary>Natural logarithm of the token's probability; NaN where log-probabilities were not asked for.</summary>
    public float LogProbability { get; init; }

    /// <summary>The most likely tokens at this place, best first; empty where not asked for.</summary>
    public IReadOnlyList<TokenProbability> Top { get; init; }

    /// <summary>Set in a choice's last token.</summary>
    public FinishReason Finish { get; init; }
}
