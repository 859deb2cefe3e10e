namespace LoraServe.Tokenization.AddedTokens;

/// <summary>Goes through a text as a row of parts: added tokens and what lies between them.</summary>
/// <param name="search">Finds the tokens; null finds none.</param>
/// <param name="text">The text.</param>
/// <param name="parseSpecialTokens">Whether special tokens are found.</param>
internal ref struct AddedTokenScan(AddedTokenSearch? search, ReadOnlySpan<char> text, bool parseSpecialTokens)
{
    private readonly ReadOnlySpan<char> _text = text;
    private int _covered;
    private int _from;
    private AddedToken? _pending;
    private (int Start, int End) _place;

    /// <summary>The next part, in UTF-16 units; the token is null for what lies between tokens. False when the text is used up.</summary>
    public bool MoveNext(out AddedToken? token, out int start, out int end)
    {
        if (_pending is null && search?.Find(_text, _from, parseSpecialTokens, out start, out end) is { } found)
        {
            _from = end;
            // The white space that a token takes may reach into the next one, but not into the one before.
            start = found.StripsLeft ? Math.Max(_text[..start].TrimEnd().Length, _covered) : start;
            end = found.StripsRight ? _text.Length - _text[end..].TrimStart().Length : end;
            _pending = found;
            _place = (start, end);
        }

        if (_pending is not null && _place.Start <= _covered)
        {
            token = _pending;
            (start, end) = _place;
            _pending = null;
            _covered = end;
            return true;
        }

        token = null;
        start = _covered;
        end = _pending is null ? _text.Length : _place.Start;
        _covered = end;
        return end > start;
    }
}
