namespace LoraServe.Grammars.Masks;

/// <summary>The tokens of a model as bytes, laid out for masks. Immutable; made once for a tokenizer.</summary>
public sealed class TokenVocabulary
{
    private readonly byte[]?[] _tokens;
    private readonly byte[]?[]? _firstTokens;

    /// <param name="tokens">What each token adds to a text; null for those that add none, such as control tokens, which are never allowed.</param>
    /// <param name="firstTokens">The same for the first token of a text, where that differs: some tokenizers drop a space there.</param>
    public TokenVocabulary(IReadOnlyList<byte[]?> tokens, IReadOnlyList<byte[]?>? firstTokens = null)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        _tokens = [.. tokens];
        _firstTokens = firstTokens is null ? null : [.. firstTokens];
        Trie = new TokenTrie(_tokens);
        FirstTrie = _firstTokens is null ? Trie : new TokenTrie(_firstTokens);
    }

    /// <summary>Tokens there are.</summary>
    public int Count => _tokens.Length;

    /// <summary>Words of 64 bits that a mask has.</summary>
    public int MaskLength => (_tokens.Length + 63) / 64;

    internal TokenTrie Trie { get; }

    /// <summary>The tree of what tokens add where a text begins.</summary>
    internal TokenTrie FirstTrie { get; }

    internal ReadOnlySpan<byte> Bytes(int token, bool isFirst)
    {
        byte[]?[] tokens = isFirst && _firstTokens is not null ? _firstTokens : _tokens;
        return (uint)token < (uint)tokens.Length ? tokens[token] : default;
    }
}
