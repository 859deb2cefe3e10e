using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.AddedTokens;

/// <summary>Cuts a text at added tokens.</summary>
internal sealed class AddedTokenSearch
{
    private const int ZeroWidthNonJoiner = 0x200C;
    private const int ZeroWidthJoiner = 0x200D;

    private readonly IReadOnlyList<AddedToken> _tokens;
    private readonly TextSearch _search;

    /// <summary>Searches for tokens by their texts in the form that they have in the text.</summary>
    public AddedTokenSearch(IReadOnlyList<AddedToken> tokens, IReadOnlyList<string> texts)
    {
        _tokens = tokens;
        _search = new TextSearch(texts);
    }

    /// <summary>The parts of a text in order, in UTF-16 units; the token is null for what lies between tokens.</summary>
    public List<(AddedToken? Token, int Start, int End)> Cut(ReadOnlySpan<char> text, bool parseSpecialTokens)
    {
        List<(AddedToken?, int, int)> parts = [];
        int covered = 0;
        int from = 0;
        while (_search.TryFind(text, from, out int index, out int start, out int end))
        {
            from = end;
            AddedToken token = _tokens[index];
            if ((token.IsSpecial && !parseSpecialTokens) || (token.IsSingleWord && !IsSingleWord(text, start, end)))
            {
                continue;
            }

            if (token.StripsLeft)
            {
                start = Math.Max(text[..start].TrimEnd().Length, covered);
            }

            if (token.StripsRight)
            {
                end = text.Length - text[end..].TrimStart().Length;
            }

            if (start > covered)
            {
                parts.Add((null, covered, start));
            }

            // The white space that the token before took may reach into this one.
            parts.Add((token, start, end));
            covered = end;
        }

        if (covered < text.Length)
        {
            parts.Add((null, covered, text.Length));
        }

        return parts;
    }

    private static bool IsSingleWord(ReadOnlySpan<char> text, int start, int end) =>
        (start == 0 || !IsWord(CodePoints.Before(text, start, out _)))
        && (end == text.Length || !IsWord(CodePoints.At(text, end, out _)));

    private static bool IsWord(int codePoint) =>
        CodePoints.IsWord(codePoint) || codePoint is ZeroWidthNonJoiner or ZeroWidthJoiner;
}
