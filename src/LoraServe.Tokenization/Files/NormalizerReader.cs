using LoraServe.Tokenization.Normalizers;

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
            "StripAccents" => new StripAccentsNormalizer(),
            "Prepend" => new PrependNormalizer(node["prepend"].AsString()),
            "Replace" => new ReplaceNormalizer(PatternReader.Read(node["pattern"]), node["content"].AsString()),
            _ => throw node.Refused($"the normalizer '{type}' is not supported"),
        };
    }
}
