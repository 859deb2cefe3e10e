using LoraServe.Tokenization;

namespace LoraServe.Serving.Sampling;

/// <summary>Text to tokens and back; the model's tokenizer, or a table in tests.</summary>
internal interface ITextCodec
{
    /// <summary>The tokens of a text.</summary>
    int[] Encode(string text, bool addSpecialTokens);

    /// <summary>A decoder for one answer.</summary>
    /// <param name="visible">Special tokens that have text in it all the same.</param>
    ITextDecoder CreateDecoder(IReadOnlySet<int> visible);

    /// <summary>The text of tokens.</summary>
    string Decode(IReadOnlyList<int> tokens);

    /// <summary>What each token adds to a text; null where that depends on the tokens beside it.</summary>
    /// <param name="visible">Special tokens that have text all the same.</param>
    TokenBytes? TryGetBytes(IReadOnlySet<int> visible);
}
