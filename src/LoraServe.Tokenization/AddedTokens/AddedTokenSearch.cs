using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.AddedTokens;

/// <summary>Finds added tokens by their texts in the form that they have in the text.</summary>
internal sealed class AddedTokenSearch(IReadOnlyList<AddedToken> tokens, IReadOnlyList<string> texts)
{
    private const int ZeroWidthNonJoiner = 0x200C;
    private const int ZeroWidthJoiner = 0x200D;

    private readonly TextSearch _search = new(texts);

    /// <summary>The next token at or after a place that counts as one.</summary>
    public AddedToken? Find(ReadOnlySpan<char> text, int from, bool parseSpecialTokens, out int start, out int end)
    {
        while (_search.TryFind(text, from, out int index, out start, out end))
        {
            AddedToken token = tokens[index];
            if ((!token.IsSpecial || parseSpecialTokens) && (!token.IsSingleWord || IsSingleWord(text, start, end)))
            {
                return token;
            }

            from = end;
        }

        return null;
    }

    private static bool IsSingleWord(ReadOnlySpan<char> text, int start, int end) =>
        (start == 0 || !IsWord(CodePoints.Before(text, start, out _)))
        && (end == text.Length || !IsWord(CodePoints.At(text, end, out _)));

    private static bool IsWord(int codePoint) =>
        CodePoints.IsWord(codePoint) || codePoint is ZeroWidthNonJoiner or ZeroWidthJoiner;
}
