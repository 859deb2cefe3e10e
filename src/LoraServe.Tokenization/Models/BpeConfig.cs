namespace LoraServe.Tokenization.Models;

/// <summary>What a file says about a byte-pair model.</summary>
internal sealed record BpeConfig
{
    public required Vocabulary Vocabulary { get; init; }

    public required MergeTable Merges { get; init; }

    /// <summary>Words are cut into bytes, and the vocabulary spells bytes as characters.</summary>
    public bool IsByteLevel { get; init; }

    /// <summary>A word that is a token is that token, whatever merges would make of it.</summary>
    public bool IgnoreMerges { get; init; }

    /// <summary>A character that the vocabulary lacks becomes tokens such as &lt;0xE2&gt;, one for each byte.</summary>
    public bool HasByteFallback { get; init; }

    /// <summary>What stands for a character that the vocabulary lacks, or <see cref="Vocabulary.None"/>: then it is dropped.</summary>
    public int UnknownId { get; init; } = Vocabulary.None;

    /// <summary>Unknown characters in a row become one token.</summary>
    public bool FusesUnknown { get; init; }

    /// <summary>Put before every character of a word but the first.</summary>
    public string ContinuingPrefix { get; init; } = "";

    /// <summary>Put after the last character of a word.</summary>
    public string EndSuffix { get; init; } = "";
}
