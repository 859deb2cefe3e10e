using System.Text.Json;
using LoraServe.Tokenization.AddedTokens;
using LoraServe.Tokenization.Models;
using LoraServe.Tokenization.Normalizers;
using LoraServe.Tokenization.PreTokenizers;

namespace LoraServe.Tokenization.Files;

/// <summary>Reads a tokenizer.json as Hugging Face's tokenizers library writes it. Its truncation and padding are for training and play no part.</summary>
internal static class TokenizerFile
{
    private const long MaxBytes = 512L << 20;
    private static readonly JsonDocumentOptions s_options = new() { MaxDepth = 64 };

    public static TokenizerParts Read(string path)
    {
        FileInfo file = new(path);
        if (file.Exists && file.Length > MaxBytes)
        {
            throw new TokenizerFormatException($"{path}: the file has {file.Length} bytes; expected at most {MaxBytes}");
        }

        return Parse(File.ReadAllBytes(path), path, parts => SpecialTokensFile.Read(Path.GetDirectoryName(Path.GetFullPath(path))!, parts));
    }

    public static TokenizerParts Parse(ReadOnlyMemory<byte> utf8Json, string source, Func<TokenizerParts, SpecialTokenIds>? findSpecialIds = null)
    {
        try
        {
            if (utf8Json.Span.StartsWith("\uFEFF"u8))
            {
                utf8Json = utf8Json[3..];
            }

            using JsonDocument document = JsonDocument.Parse(utf8Json, s_options);
            TokenizerParts parts = ReadParts(new JsonNode(document.RootElement, ""));
            return findSpecialIds is null ? parts : parts with { SpecialIds = findSpecialIds(parts) };
        }
        catch (JsonException exception)
        {
            throw new TokenizerFormatException($"{source}: not valid JSON: {exception.Message}", exception);
        }
        catch (TokenizerFormatException exception)
        {
            throw new TokenizerFormatException($"{source}: {exception.Message}", exception);
        }
    }

    private static TokenizerParts ReadParts(JsonNode root)
    {
        JsonNode modelNode = root["model"];
        JsonNode? preTokenizerNode = root.Find("pre_tokenizer");
        bool isByteLevel = preTokenizerNode is { } node && PreTokenizerReader.EndsInByteLevel(node);
        BpeConfig config = BpeModelReader.Read(modelNode) with { IsByteLevel = isByteLevel };
        Normalizer? normalizer = root.Find("normalizer") is { } n ? NormalizerReader.Read(n) : null;
        PreTokenizer? preTokenizer = preTokenizerNode is { } p ? PreTokenizerReader.Read(p) : null;
        AddedVocabulary added = new(ReadAddedTokens(root, config.Vocabulary), normalizer);
        return new TokenizerParts
        {
            Vocabulary = config.Vocabulary,
            Model = new BpeModel(config),
            Added = added,
            PreTokenizer = preTokenizer,
            PostProcessor = root.Find("post_processor") is { } post
                ? new PostProcessorReader(id => added[id] is not null || config.Vocabulary.Text(id) is not null).Read(post)
                : null,
            Decoder = DecoderReader.Read(root.Find("decoder")),
        };
    }

    private static List<AddedToken> ReadAddedTokens(JsonNode root, Vocabulary vocabulary)
    {
        List<AddedToken> tokens = [];
        if (root.Find("added_tokens") is not { } list)
        {
            return tokens;
        }

        foreach (JsonNode item in list.Items())
        {
            string content = item["content"].AsString();
            int id = item["id"].AsInt();
            if (id < 0 || id > vocabulary.Size + 1_000_000)
            {
                throw item.Refused($"the id {id} is outside of the vocabulary's {vocabulary.Size} ids and what can be added to them");
            }

            // A token that the model has as well keeps the model's id.
            int known = vocabulary.IdOrNone(content);
            tokens.Add(new AddedToken(
                known == Vocabulary.None ? id : known,
                content,
                IsSpecial: item.BoolOr("special", false),
                IsSingleWord: item.BoolOr("single_word", false),
                StripsLeft: item.BoolOr("lstrip", false),
                StripsRight: item.BoolOr("rstrip", false),
                IsNormalized: item.BoolOr("normalized", !item.BoolOr("special", false))));
        }

        return tokens;
    }
}
