using LoraServe.Tokenization.Patterns;
using LoraServe.Tokenization.PreTokenizers;
using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.Files;

/// <summary>Reads the pre-tokenizer of a tokenizer.json.</summary>
internal static class PreTokenizerReader
{
    /// <summary>Whether the last step is ByteLevel, so that the model can take bytes instead of their spelling.</summary>
    public static bool EndsInByteLevel(JsonNode node) => node["type"].AsString() switch
    {
        "ByteLevel" => true,
        "Sequence" => node["pretokenizers"].Items().ToList() is { Count: > 0 } steps && EndsInByteLevel(steps[^1]),
        _ => false,
    };

    /// <summary>Reads a pre-tokenizer.</summary>
    /// <param name="node">What the file says.</param>
    /// <param name="takesBytes">Whether the model takes bytes, so that a last step ByteLevel need not spell them.</param>
    public static PreTokenizer Read(JsonNode node, bool takesBytes)
    {
        string type = node["type"].AsString();
        switch (type)
        {
            case "Sequence":
                List<JsonNode> steps = [.. node["pretokenizers"].Items()];
                return new SequencePreTokenizer([.. steps.Select((step, index) => Read(step, takesBytes && index == steps.Count - 1))]);
            case "ByteLevel":
                return new ByteLevelPreTokenizer(node.BoolOr("add_prefix_space", true), node.BoolOr("use_regex", true), spellBytes: !takesBytes);
            case "Split":
                return new PatternPreTokenizer(PatternReader.Read(node["pattern"]), ReadBehavior(node["behavior"]), node.BoolOr("invert", false));
            case "Digits":
                bool isIndividual = node.BoolOr("individual_digits", false);
                return new CharacterPreTokenizer(CodePointSet.Where(CodePoints.IsNumber), isIndividual ? SplitBehavior.Isolated : SplitBehavior.Contiguous);
            case "Punctuation":
                SplitBehavior behavior = node.Find("behavior") is { } name ? ReadBehavior(name) : SplitBehavior.Isolated;
                return new CharacterPreTokenizer(CodePointSet.Where(LibraryUnicode.IsPunctuation), behavior);
            case "Whitespace":
                return new PatternPreTokenizer(Pattern.Parse("[\\w\u200C\u200D]+|[^\\w\u200C\u200D\\s]+"), SplitBehavior.Removed, invert: true);
            case "WhitespaceSplit":
                return new CharacterPreTokenizer(CodePointSet.Space, SplitBehavior.Removed);
            case "CharDelimiterSplit":
                return new CharacterPreTokenizer(CodePointSet.Single(ReadCharacter(node["delimiter"])), SplitBehavior.Removed);
            case "BertPreTokenizer":
                return Bert();
            case "Metaspace":
                return ReadMetaspace(node);
            case "UnicodeScripts":
                return new ScriptPreTokenizer();
            case "FixedLength":
                return new FixedLengthPreTokenizer(ReadLength(node));
            default:
                throw node.Refused($"the pre-tokenizer '{type}' is not supported");
        }
    }

    /// <summary>BERT's way to cut: at white space, which goes, and around punctuation, each of which is a word.</summary>
    public static SequencePreTokenizer Bert() => new([
        new CharacterPreTokenizer(CodePointSet.Space, SplitBehavior.Removed),
        new CharacterPreTokenizer(CodePointSet.Where(LibraryUnicode.IsPunctuation), SplitBehavior.Isolated),
    ]);

    /// <summary>The scheme of a Metaspace component; older files say it by <c>add_prefix_space</c>.</summary>
    public static PrependScheme ReadScheme(JsonNode node)
    {
        if (node.Find("prepend_scheme") is not { } scheme)
        {
            return node.BoolOr("add_prefix_space", true) ? PrependScheme.Always : PrependScheme.Never;
        }

        return scheme.AsString() switch
        {
            "first" => PrependScheme.First,
            "never" => PrependScheme.Never,
            "always" => PrependScheme.Always,
            string other => throw scheme.Refused($"found '{other}'; expected 'first', 'never' or 'always'"),
        };
    }

    /// <summary>A string that must be one character of the basic plane.</summary>
    public static char ReadCharacter(JsonNode node)
    {
        string text = node.AsString();
        return text.Length == 1 && !char.IsSurrogate(text[0]) ? text[0] : throw node.Refused($"found '{text}'; expected one character");
    }

    private static MetaspacePreTokenizer ReadMetaspace(JsonNode node) =>
        new(ReadCharacter(node["replacement"]), ReadScheme(node), node.BoolOr("split", true));

    private static int ReadLength(JsonNode node) =>
        node.Find("length") is not { } length ? FixedLengthPreTokenizer.DefaultLength
            : length.AsInt() > 0 ? length.AsInt() : throw length.Refused($"found {length.AsInt()}; expected 1 or more");

    private static SplitBehavior ReadBehavior(JsonNode node) => node.AsString() switch
    {
        "Removed" => SplitBehavior.Removed,
        "Isolated" => SplitBehavior.Isolated,
        "MergedWithPrevious" => SplitBehavior.MergedWithPrevious,
        "MergedWithNext" => SplitBehavior.MergedWithNext,
        "Contiguous" => SplitBehavior.Contiguous,
        string other => throw node.Refused(
            $"found '{other}'; expected 'Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext' or 'Contiguous'"),
    };
}
