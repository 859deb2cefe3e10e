using LoraServe.Tokenization.Decoders;
using LoraServe.Tokenization.Models;
using LoraServe.Tokenization.PreTokenizers;

namespace LoraServe.Tokenization.Files;

/// <summary>Reads the decoder of a tokenizer.json.</summary>
internal static class DecoderReader
{
    /// <summary>The steps of a decoder; without one, tokens are joined with spaces.</summary>
    public static IReadOnlyList<DecoderStep> Read(JsonNode? decoder) => decoder is { } node ? [.. ReadSteps(node)] : [new SpaceDecoder()];

    private static IEnumerable<DecoderStep> ReadSteps(JsonNode node)
    {
        string type = node["type"].AsString();
        return type switch
        {
            "Sequence" => node["decoders"].Items().SelectMany(ReadSteps),
            "ByteLevel" => [new ByteLevelDecoder()],
            "ByteFallback" => [new ByteFallbackDecoder()],
            "Fuse" => [new FuseDecoder()],
            "Replace" => [ReadReplace(node)],
            "Strip" => [ReadStrip(node)],
            "Metaspace" => [new CharacterDecoder(
                PreTokenizerReader.ReadCharacter(node["replacement"]), ' ', PreTokenizerReader.ReadScheme(node) != PrependScheme.Never)],
            "BPEDecoder" => [new SuffixDecoder(node["suffix"].AsString())],
            "WordPiece" => [new WordPieceDecoder(node.StringOr("prefix", WordPieceConfig.UsualPrefix), node.BoolOr("cleanup", true))],
            "CTC" => [new CtcDecoder(node.StringOr("pad_token", "<pad>"), node.StringOr("word_delimiter_token", "|"), node.BoolOr("cleanup", true))],
            _ => throw node.Refused($"the decoder '{type}' is not supported"),
        };
    }

    private static DecoderStep ReadReplace(JsonNode node)
    {
        string content = node["content"].AsString();
        return node["pattern"].Find("String")?.AsString() is [var character] && !char.IsSurrogate(character) && content is [var replacement]
            ? new CharacterDecoder(character, replacement, dropsInFirst: false)
            : new ReplaceDecoder(PatternReader.Read(node["pattern"]), content);
    }

    private static StripDecoder ReadStrip(JsonNode node) =>
        new(PreTokenizerReader.ReadCharacter(node["content"]), Count(node["start"]), Count(node["stop"]));

    private static int Count(JsonNode node) =>
        node.AsInt() >= 0 ? node.AsInt() : throw node.Refused($"found {node.AsInt()}; expected 0 or more");
}
