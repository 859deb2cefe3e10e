using System.Text.Json;
using LoraServe.Tokenization.AddedTokens;
using LoraServe.Tokenization.Models;
using LoraServe.Tokenization.Normalizers;
using LoraServe.Tokenization.PostProcessors;
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

        return Parse(File.ReadAllBytes(path), path, () => TokenizerSettings.Read(Path.GetDirectoryName(Path.GetFullPath(path))!));
    }

    /// <summary>Reads the content of a tokenizer.json.</summary>
    /// <param name="utf8Json">The content.</param>
    /// <param name="source">What messages call it.</param>
    /// <param name="readSettings">Reads the files beside it; null for none.</param>
    public static TokenizerParts Parse(ReadOnlyMemory<byte> utf8Json, string source, Func<TokenizerSettings>? readSettings = null)
    {
        try
        {
            if (utf8Json.Span.StartsWith("\uFEFF"u8))
            {
                utf8Json = utf8Json[3..];
            }

            using JsonDocument document = JsonDocument.Parse(utf8Json, s_options);
            return ReadParts(new JsonNode(document.RootElement, ""), readSettings?.Invoke() ?? new TokenizerSettings());
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

    private static TokenizerParts ReadParts(JsonNode root, TokenizerSettings settings)
    {
        JsonNode modelNode = root["model"];
        JsonNode? preTokenizerNode = root.Find("pre_tokenizer");
        Vocabulary vocabulary = VocabularyReader.Read(modelNode["vocab"]);
        bool isByteLevel = preTokenizerNode is { } node && ModelReader.TypeOf(modelNode) == "BPE" && PreTokenizerReader.EndsInByteLevel(node);
        foreach (JsonNode component in ((string[])["normalizer", "pre_tokenizer", "decoder"]).Select(root.Find).OfType<JsonNode>())
        {
            TextGrowth.Check(component);
        }

        Normalizer? normalizer = root.Find("normalizer") is { } n ? NormalizerReader.Read(n) : null;
        PreTokenizer? preTokenizer = preTokenizerNode is { } p ? PreTokenizerReader.Read(p, takesBytes: isByteLevel) : null;
        AddedVocabulary added = new(AddedTokenReader.ReadAll(root, vocabulary, settings), normalizer);
        var parts = new TokenizerParts
        {
            Vocabulary = vocabulary,
            Model = new ModelReader(vocabulary, added).Read(modelNode, isByteLevel),
            Added = added,
            PreTokenizer = preTokenizer,
            PostProcessor = root.Find("post_processor") is { } post
                ? new PostProcessorReader(id => added[id] is not null || vocabulary.Text(id) is not null).Read(post)
                : null,
            Decoder = DecoderReader.Read(root.Find("decoder")),
        };
        parts = parts with { SpecialIds = new SpecialTokenIds(Id(settings.BeginToken), Id(settings.EndToken), Id(settings.UnknownToken), Id(settings.PaddingToken)) };
        return settings.Frame is { } frame ? parts with { PostProcessor = Framed(parts, frame, settings) } : parts;

        // A token that the tokenizer lacks counts as not named.
        int? Id(string? token) => token is null ? null : parts.Find(token);
    }

    /// <summary>What the files beside it put around texts stands in the place of what tokenizer.json does; what that does else stays.</summary>
    private static SequencePostProcessor Framed(TokenizerParts parts, (bool Begin, bool End) frame, TokenizerSettings settings)
    {
        var own = new FramePostProcessor(Tokens(frame.Begin, parts.SpecialIds.Bos, settings.BeginToken), Tokens(frame.End, parts.SpecialIds.Eos, settings.EndToken));
        return new SequencePostProcessor([.. parts.PostProcessor?.WithoutFrame() ?? [], own]);

        static AddedToken[] Tokens(bool isPut, int? id, string? text) => isPut && id is { } token ? [new AddedToken(token, text!)] : [];
    }
}
