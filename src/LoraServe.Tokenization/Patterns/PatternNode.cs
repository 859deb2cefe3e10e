namespace LoraServe.Tokenization.Patterns;

/// <summary>A regular expression as a tree.</summary>
internal abstract record PatternNode
{
    /// <summary>One code point of a set.</summary>
    public sealed record One(CodePointSet Set) : PatternNode;

    /// <summary>Parts one after the other; none of them for the empty expression.</summary>
    public sealed record Sequence(IReadOnlyList<PatternNode> Parts) : PatternNode;

    /// <summary>The first choice that leads to a match.</summary>
    public sealed record Choice(IReadOnlyList<PatternNode> Choices) : PatternNode;

    /// <summary>Repetition; <paramref name="Max"/> is null without an upper bound.</summary>
    public sealed record Repeat(PatternNode Body, int Min, int? Max, bool Lazy) : PatternNode;

    /// <summary>A part that keeps its first match and gives nothing back.</summary>
    public sealed record Atomic(PatternNode Body) : PatternNode;

    /// <summary>A condition on what follows, or on the <paramref name="Behind"/> code points that precede.</summary>
    public sealed record Look(PatternNode Body, bool Negative, int? Behind) : PatternNode;

    /// <summary>A condition on the place itself.</summary>
    public sealed record Anchor(AnchorKind Kind) : PatternNode;

    /// <summary>Whether the node can match nothing.</summary>
    public bool IsNullable => this switch
    {
        One => false,
        Sequence sequence => sequence.Parts.All(part => part.IsNullable),
        Choice choice => choice.Choices.Any(part => part.IsNullable),
        Repeat repeat => repeat.Min == 0 || repeat.Body.IsNullable,
        Atomic atomic => atomic.Body.IsNullable,
        _ => true,
    };

    /// <summary>How many code points the node matches where that is one fixed number, else null.</summary>
    public int? Width
    {
        get
        {
            switch (this)
            {
                case One:
                    return 1;
                case Sequence sequence:
                    return sequence.Parts.Aggregate((int?)0, (sum, part) => sum + part.Width);
                case Choice choice:
                    int? width = choice.Choices[0].Width;
                    return choice.Choices.All(part => part.Width == width) ? width : null;
                case Repeat repeat:
                    return repeat.Min == repeat.Max && repeat.Min <= 1000 ? repeat.Min * repeat.Body.Width : null;
                case Atomic atomic:
                    return atomic.Body.Width;
                default:
                    return 0;
            }
        }
    }

    /// <summary>Whether a match can start with the code point; true where that is not sure.</summary>
    public bool CanStartWith(int codePoint) => this switch
    {
        One one => one.Set.Contains(codePoint),
        Sequence sequence => SequenceCanStartWith(sequence, codePoint),
        Choice choice => choice.Choices.Any(part => part.CanStartWith(codePoint)),
        Repeat repeat => IsNullable || repeat.Body.CanStartWith(codePoint),
        Atomic atomic => atomic.Body.CanStartWith(codePoint),
        _ => true,
    };

    private static bool SequenceCanStartWith(Sequence sequence, int codePoint)
    {
        foreach (PatternNode part in sequence.Parts)
        {
            if (part is Look or Anchor)
            {
                continue;
            }

            // A nullable part alone would answer "not sure", but what follows it may well be sure.
            bool canStart = part is Repeat { Min: 0 } optional ? optional.Body.CanStartWith(codePoint) : part.CanStartWith(codePoint);
            if (canStart || !part.IsNullable)
            {
                return canStart;
            }
        }

        return true;
    }
}

/// <summary>The conditions on a place in the text.</summary>
internal enum AnchorKind
{
    TextStart,
    TextEnd,
    TextEndOrLastNewLine,
    LineStart,
    LineEnd,
    WordBoundary,
    NotWordBoundary,
}
