using System.Text;
using LoraServe.Tokenization.Decoders;

namespace LoraServe.Tokenization;

/// <summary>What tokens add to a text, in bytes of UTF-8; a character may be shared out over several of them.</summary>
/// <param name="Tokens">By id; null for control tokens and for ids that the vocabulary lacks.</param>
/// <param name="FirstTokens">The same at the beginning of a text, where that differs: some tokenizers drop a space there; else null.</param>
public sealed record TokenBytes(IReadOnlyList<byte[]?> Tokens, IReadOnlyList<byte[]?>? FirstTokens)
{
    internal static TokenBytes Of(Tokenizer tokenizer, DecoderChain decoder, IReadOnlySet<int>? visible)
    {
        var tokens = new byte[tokenizer.VocabularySize][];
        var firstTokens = new byte[tokenizer.VocabularySize][];
        bool areAlike = true;
        TextSink sink = new();
        IFragmentSink run = decoder.CreateRun(sink, isIncremental: true);
        run.Accept("a", startsToken: true);
        for (int id = 0; id < tokens.Length; id++)
        {
            if (tokenizer.TextToDecode(id, skipSpecialTokens: visible?.Contains(id) != true) is not { } token)
            {
                continue;
            }

            if (decoder.HasByteCharacters)
            {
                byte[] bytes = new byte[Encoding.UTF8.GetMaxByteCount(token.Length)];
                tokens[id] = firstTokens[id] = bytes[..ByteLevelDecoder.GetBytes(token, bytes)];
                continue;
            }

            if (decoder.HasByteNames && ByteFallbackDecoder.TryReadByte(token, out byte value))
            {
                tokens[id] = firstTokens[id] = [value];
                continue;
            }

            sink.Clear();
            run.Accept(token, startsToken: true);
            tokens[id] = Encoding.UTF8.GetBytes(sink.Text.ToArray());
            sink.Clear();
            decoder.CreateRun(sink, isIncremental: true).Accept(token, startsToken: true);
            firstTokens[id] = Encoding.UTF8.GetBytes(sink.Text.ToArray());
            areAlike &= tokens[id].AsSpan().SequenceEqual(firstTokens[id]);
        }

        return new TokenBytes(tokens, areAlike ? null : firstTokens);
    }
}
