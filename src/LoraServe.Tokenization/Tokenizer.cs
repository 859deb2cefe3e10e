using System.Collections.Immutable;
using LoraServe.Tokenization.AddedTokens;
using LoraServe.Tokenization.Decoders;
using LoraServe.Tokenization.Files;
using LoraServe.Tokenization.Models;
using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization;

/// <summary>Turns text into token ids and back. Immutable; any number of threads may use it.</summary>
/// <remarks>
/// Reads byte-pair (byte-level and SentencePiece-style), unigram, word-piece and word-level tokenizers from Hugging Face's tokenizer.json, and from GGUF metadata.
/// Lone surrogates in a text count as U+FFFD.
/// </remarks>
public sealed class Tokenizer
{
    private readonly TokenizerParts _parts;
    private readonly DecoderChain _decoder;

    private Tokenizer(TokenizerParts parts)
    {
        _parts = parts;
        _decoder = new DecoderChain(parts.Decoder);
        VocabularySize = Math.Max(parts.Vocabulary.Size, parts.Added.Size);
    }

    /// <summary>One more than the largest id.</summary>
    public int VocabularySize { get; }

    /// <summary>The ids of the tokens with a part to play, as far as the files name them.</summary>
    public SpecialTokenIds SpecialIds => _parts.SpecialIds;

    /// <summary>Reads a tokenizer.json, and what the files beside it say of it: see <see cref="TokenizerSettings"/>.</summary>
    /// <exception cref="TokenizerFormatException">The file is damaged or needs what is not implemented; the message names the file and the reason.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static Tokenizer FromFile(string tokenizerJsonPath) => new(TokenizerFile.Read(tokenizerJsonPath));

    /// <summary>Reads the content of a tokenizer.json.</summary>
    /// <param name="utf8Json">The file's bytes.</param>
    /// <param name="sourceName">What error messages call it.</param>
    /// <exception cref="TokenizerFormatException">The content is damaged or needs what is not implemented.</exception>
    public static Tokenizer FromUtf8Json(ReadOnlyMemory<byte> utf8Json, string sourceName) => new(TokenizerFile.Parse(utf8Json, sourceName));

    /// <summary>Builds the tokenizer that a GGUF file describes.</summary>
    /// <exception cref="TokenizerFormatException">The metadata contradicts itself or names a pre-tokenizer that is not implemented.</exception>
    public static Tokenizer FromGguf(GgufTokenizerData data) => new(GgufTokenizer.Read(data));

    /// <summary>The ids of a text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="addSpecialTokens">Put in the tokens that frame a text, such as the one that starts it.</param>
    /// <param name="parseSpecialTokens">
    /// Take special tokens that are written out in the text for what they are, as a rendered chat template needs it.
    /// False for text from users, who then cannot forge them: their spelling is plain text.
    /// </param>
    public int[] Encode(string text, bool addSpecialTokens, bool parseSpecialTokens = true) =>
        [.. Run(text, addSpecialTokens, parseSpecialTokens, isDetailed: false).Ids];

    /// <summary>As <see cref="Encode"/>, with the tokens' texts and places.</summary>
    /// <param name="text">The text.</param>
    /// <param name="addSpecialTokens">Put in the tokens that frame a text.</param>
    /// <param name="parseSpecialTokens">Take special tokens that are written out in the text for what they are.</param>
    public TokenEncoding EncodeWithOffsets(string text, bool addSpecialTokens, bool parseSpecialTokens = true)
    {
        TokenOutput output = Run(text, addSpecialTokens, parseSpecialTokens, isDetailed: true);
        return new TokenEncoding(output.Ids, output.Tokens, output.Offsets);
    }

    /// <summary>The text of ids. An id that the vocabulary lacks adds nothing; bytes that are no UTF-8 become U+FFFD.</summary>
    /// <param name="ids">The ids.</param>
    /// <param name="skipSpecialTokens">Leave special tokens out.</param>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens)
    {
        TextSink sink = new();
        IFragmentSink run = _decoder.CreateRun(sink, isIncremental: false);
        foreach (int id in ids)
        {
            if (TextToDecode(id, skipSpecialTokens) is { } token)
            {
                run.Accept(token, startsToken: true);
            }
        }

        run.Finish();
        return sink.Text.ToString();
    }

    /// <summary>A decoder that takes the ids of one sequence as they come.</summary>
    /// <param name="skipSpecialTokens">Leave special tokens out.</param>
    /// <param name="shown">Special tokens that are not left out all the same; null for none.</param>
    public IncrementalDecoder CreateDecoder(bool skipSpecialTokens, IReadOnlySet<int>? shown = null) => new(this, _decoder, skipSpecialTokens, shown ?? ImmutableHashSet<int>.Empty);

    /// <summary>A token in the vocabulary's own spelling, or null where the vocabulary lacks the id.</summary>
    public string? TokenText(int id) => _parts.Added[id]?.Content ?? _parts.Vocabulary.Text(id);

    /// <summary>The id of a token in the vocabulary's own spelling, or null.</summary>
    public int? TryGetId(string token) => _parts.Find(token);

    /// <summary>Whether an id is a control token rather than text.</summary>
    public bool IsSpecial(int id) => _parts.Added[id] is { IsSpecial: true };

    /// <summary>Whether an id is found in a text before it is split into words: control tokens, and others that were added like them.</summary>
    public bool IsAdded(int id) => _parts.Added[id] is not null;

    /// <summary>The bytes that each token adds to a text; null where they depend on the tokens beside it, as those of word pieces do.</summary>
    /// <param name="visible">Special tokens that have text all the same.</param>
    public TokenBytes? TryGetBytes(IReadOnlySet<int>? visible = null) => _decoder.IsByToken ? TokenBytes.Of(this, _decoder, visible) : null;

    /// <summary>What an id brings into the decoder; null for nothing.</summary>
    internal string? TextToDecode(int id, bool skipSpecialTokens) =>
        skipSpecialTokens && IsSpecial(id) ? null : _parts.Added.DecodedText(id) ?? _parts.Vocabulary.Text(id);

    private TokenOutput Run(string text, bool addSpecialTokens, bool parseSpecialTokens, bool isDetailed)
    {
        TokenOutput output = new(isDetailed);
        IPieceSink words = _parts.Model.CreateStage(output);
        words = _parts.PreTokenizer?.CreateStage(words) ?? words;
        TextPiece input = TextPiece.Whole(CodePoints.WellFormed(text), isDetailed);
        _parts.Added.Cut(input, parseSpecialTokens, (token, piece) => Add(output, token, piece), words);
        _parts.PostProcessor?.Process(output, addSpecialTokens);
        return output;
    }

    private static void Add(TokenOutput output, AddedToken token, in TextPiece piece)
    {
        if (output.IsDetailed)
        {
            output.Add(token.Id, piece.Span.ToString(), piece.Offsets());
        }
        else
        {
            output.Ids.Add(token.Id);
        }
    }
}
