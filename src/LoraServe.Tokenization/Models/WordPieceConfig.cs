namespace LoraServe.Tokenization.Models;

/// <summary>What a file says about a word-piece model.</summary>
internal sealed record WordPieceConfig
{
    /// <summary>What <see cref="MostCharacters"/> is where a file does not say it.</summary>
    public const int UsualMostCharacters = 100;

    /// <summary>What <see cref="ContinuingPrefix"/> is where a file does not say it.</summary>
    public const string UsualPrefix = "##";

    public required Vocabulary Vocabulary { get; init; }

    /// <summary>Which tokens are found in a text; the others are control.</summary>
    public required Predicate<int> IsFound { get; init; }

    /// <summary>What stands for a word that the vocabulary's tokens cannot make.</summary>
    public required int UnknownId { get; init; }

    /// <summary>How tokens begin that go on with a word.</summary>
    public string ContinuingPrefix { get; init; } = UsualPrefix;

    /// <summary>A word of more characters is unknown.</summary>
    public int MostCharacters { get; init; } = UsualMostCharacters;
}
