namespace LoraServe.Tokenization.PreTokenizers;

/// <summary>What becomes of the delimiters at which a text is cut.</summary>
internal enum SplitBehavior
{
    /// <summary>They are dropped.</summary>
    Removed,

    /// <summary>Each is a piece.</summary>
    Isolated,

    /// <summary>A delimiter belongs to the piece before it.</summary>
    MergedWithPrevious,

    /// <summary>A delimiter belongs to the piece after it.</summary>
    MergedWithNext,

    /// <summary>Delimiters in a row are one piece.</summary>
    Contiguous,
}
