namespace LoraServe.Tokenization.Patterns;

/// <summary>A regular expression over code points in the syntax of Oniguruma, the library whose expressions tokenizer files hold.</summary>
/// <remarks>
/// Matching takes time in proportion to the length of the text, whatever the expression: a fast backtracking run that turns
/// out to be hard is repeated by one that records every decision and takes none twice (see <see cref="PatternMatcher"/>).
/// That is possible because there are no back-references; an expression that has one is refused.
/// </remarks>
internal sealed class Pattern
{
    private const int MaxDispatchedChoices = 64;

    /// <summary>Longest expression: every character of a class may become a set, and sets are asked one after another.</summary>
    private const int MaxLength = 16_384;

    private readonly PatternProgram _fast;
    private readonly Lazy<PatternProgram> _careful;
    private readonly ulong[] _asciiChoices = new ulong[128];

    private Pattern(PatternNode root)
    {
        IReadOnlyList<PatternNode> choices = root is PatternNode.Choice { Choices.Count: <= MaxDispatchedChoices } choice ? choice.Choices : [root];
        _fast = PatternProgram.Compile(choices, careful: false);
        _careful = new Lazy<PatternProgram>(() => PatternProgram.Compile(choices, careful: true));
        NeedsCare = HasEmptyLoop(root);
        for (int i = 0; i < choices.Count; i++)
        {
            for (int c = 0; c < 128; c++)
            {
                _asciiChoices[c] |= choices[i].CanStartWith(c) ? 1UL << i : 0;
            }
        }

        AllChoices = choices.Count == 64 ? ulong.MaxValue : (1UL << choices.Count) - 1;
        if (NeedsCare)
        {
            _ = _careful.Value;
        }
    }

    /// <summary>Whether only the careful program is sure to end.</summary>
    public bool NeedsCare { get; }

    /// <summary>A bit for each choice at the top.</summary>
    public ulong AllChoices { get; }

    /// <summary>The program that is run first.</summary>
    public PatternProgram Fast => _fast;

    /// <summary>The program that takes no decision twice.</summary>
    public PatternProgram Careful => _careful.Value;

    /// <summary>Reads a regular expression.</summary>
    /// <exception cref="FormatException">It is damaged or uses what is not implemented; the message names the reason and the place.</exception>
    public static Pattern Parse(string expression) => new(new PatternParser(Checked(expression)).Parse());

    /// <summary>A pattern for a text that is taken literally.</summary>
    /// <exception cref="FormatException">It is too long.</exception>
    public static Pattern Literal(string text)
    {
        _ = Checked(text);
        List<PatternNode> parts = [];
        for (int i = 0; i < text.Length;)
        {
            parts.Add(new PatternNode.One(CodePointSet.Single(Text.CodePoints.At(text, i, out int units))));
            i += units;
        }

        return new Pattern(new PatternNode.Sequence(parts));
    }

    /// <summary>The choices at the top that a match can take that starts with a character.</summary>
    public ulong ChoicesFor(char first) => first < 128 ? _asciiChoices[first] : AllChoices;

    private static string Checked(string text) => text.Length <= MaxLength ? text : throw new FormatException($"the pattern has {text.Length} characters; expected at most {MaxLength}");

    private static bool HasEmptyLoop(PatternNode node) => node switch
    {
        PatternNode.Sequence sequence => sequence.Parts.Any(HasEmptyLoop),
        PatternNode.Choice choice => choice.Choices.Any(HasEmptyLoop),
        PatternNode.Repeat repeat => (repeat.Max is null && repeat.Body.IsNullable) || HasEmptyLoop(repeat.Body),
        PatternNode.Atomic atomic => HasEmptyLoop(atomic.Body),
        PatternNode.Look look => HasEmptyLoop(look.Body),
        _ => false,
    };
}
