using LoraServe.Tokenization;

namespace LoraServe.Serving.Sampling;

/// <summary>Text through the model's tokenizer. Special tokens have no text in answers, but for those that a request wants to see.</summary>
internal sealed class TokenizerCodec(Tokenizer tokenizer) : ITextCodec
{
    public int[] Encode(string text, bool addSpecialTokens) => tokenizer.Encode(text, addSpecialTokens);

    public string Decode(IReadOnlyList<int> tokens) => tokenizer.Decode([.. tokens], skipSpecialTokens: true);

    public ITextDecoder CreateDecoder(IReadOnlySet<int> visible) => new Decoder(tokenizer.CreateDecoder(skipSpecialTokens: true, visible));

    public TokenBytes? TryGetBytes(IReadOnlySet<int> visible) => tokenizer.TryGetBytes(visible);

    private sealed class Decoder(IncrementalDecoder decoder) : ITextDecoder
    {
        public ReadOnlySpan<char> Append(int token) => decoder.AppendSpan(token);

        public ReadOnlySpan<char> Flush() => decoder.Flush();
    }
}
