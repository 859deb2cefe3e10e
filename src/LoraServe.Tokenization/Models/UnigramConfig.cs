namespace LoraServe.Tokenization.Models;

/// <summary>What a file says about a unigram model.</summary>
internal sealed record UnigramConfig
{
    /// <summary>How much less than the least of all scores a character counts that the vocabulary lacks.</summary>
    public const double UnknownPenalty = 10;

    public required Vocabulary Vocabulary { get; init; }

    /// <summary>For each id the logarithm of the token's probability; NaN for a token that is not found in a text.</summary>
    public required double[] Scores { get; init; }

    /// <summary>The score of a character that the vocabulary lacks.</summary>
    public required double UnknownScore { get; init; }

    /// <summary>What stands for characters that the vocabulary lacks, or <see cref="Vocabulary.None"/>: then they are dropped.</summary>
    public int UnknownId { get; init; } = Vocabulary.None;

    /// <summary>Characters that the vocabulary lacks become tokens such as &lt;0xE2&gt;, one for each byte.</summary>
    public bool HasByteFallback { get; init; }
}
