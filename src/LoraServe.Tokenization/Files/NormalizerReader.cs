using LoraServe.Tokenization.Normalizers;
using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.Files;

/// <summary>Reads the normalizer of a tokenizer.json.</summary>
internal static class NormalizerReader
{
    public static Normalizer Read(JsonNode node)
    {
        string type = node["type"].AsString();
        return type switch
        {
            "Sequence" => new SequenceNormalizer([.. node["normalizers"].Items().Select(Read)]),
            "NFC" => new UnicodeNormalizer(compatibility: false, compose: true),
            "NFD" => new UnicodeNormalizer(compatibility: false, compose: false),
            "NFKC" => new UnicodeNormalizer(compatibility: true, compose: true),
            "NFKD" => new UnicodeNormalizer(compatibility: true, compose: false),
            "Lowercase" => new LowercaseNormalizer(),
            "Strip" => new StripNormalizer(node.BoolOr("strip_left", true), node.BoolOr("strip_right", true)),
            "StripAccents" => new StripMarksNormalizer(LibraryUnicode.IsMark),
            "Prepend" => new PrependNormalizer(node["prepend"].AsString()),
            "Nmt" => new NmtNormalizer(),
            "ByteLevel" => new ByteLevelNormalizer(),
            "Precompiled" => ReadPrecompiled(node["precompiled_charsmap"]),
            "BertNormalizer" => ReadBert(node),
            "Replace" => new ReplaceNormalizer(PatternReader.Read(node["pattern"]), node["content"].AsString()),
            _ => throw node.Refused($"the normalizer '{type}' is not supported"),
        };
    }

    /// <summary>BERT's steps, each of which can be left out.</summary>
    public static SequenceNormalizer Bert(bool cleans, bool separatesIdeographs, bool stripsAccents, bool makesLower)
    {
        List<Normalizer> steps = [];
        if (cleans)
        {
            steps.Add(new CleanTextNormalizer());
        }

        if (separatesIdeographs)
        {
            steps.Add(new IdeographNormalizer());
        }

        if (stripsAccents)
        {
            steps.Add(new UnicodeNormalizer(compatibility: false, compose: false));
            steps.Add(new StripMarksNormalizer(LibraryUnicode.IsNonSpacingMark));
        }

        if (makesLower)
        {
            steps.Add(new LowercaseNormalizer());
        }

        return new SequenceNormalizer(steps);
    }

    /// <summary>Accents go where letters become small, unless the file says otherwise.</summary>
    private static SequenceNormalizer ReadBert(JsonNode node)
    {
        bool makesLower = node.BoolOr("lowercase", true);
        return Bert(node.BoolOr("clean_text", true), node.BoolOr("handle_chinese_chars", true), node.BoolOr("strip_accents", makesLower), makesLower);
    }

    private static PrecompiledNormalizer ReadPrecompiled(JsonNode map)
    {
        try
        {
            return new PrecompiledNormalizer(CharacterMap.Parse(Convert.FromBase64String(map.AsString())));
        }
        catch (FormatException exception)
        {
            throw map.Refused(exception.Message);
        }
    }
}
