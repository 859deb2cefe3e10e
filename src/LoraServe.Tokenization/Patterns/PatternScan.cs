using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.Patterns;

/// <summary>Goes through a text as a row of parts: the matches of a pattern and what lies between them.</summary>
internal ref struct PatternScan
{
    private readonly PatternMatcher _matcher;
    private readonly ReadOnlySpan<char> _text;
    private int _covered;
    private int _from;
    private int _lastEnd;
    private (int Start, int End) _pending;

    public PatternScan(PatternMatcher matcher, ReadOnlySpan<char> text)
    {
        _matcher = matcher;
        _text = text;
        _lastEnd = -1;
        _pending = (-1, -1);
        matcher.Begin(text);
    }

    /// <summary>The next part, in UTF-16 units of the text; false when the text is used up.</summary>
    public bool MoveNext(out int start, out int end, out bool isMatch)
    {
        isMatch = true;
        if (_pending.Start >= 0)
        {
            (start, end) = _pending;
            _pending = (-1, -1);
            _covered = end;
            return true;
        }

        if (TryFind(out start, out end))
        {
            if (start > _covered)
            {
                _pending = (start, end);
                (start, end, isMatch) = (_covered, start, false);
                return true;
            }

            _covered = end;
            return true;
        }

        (start, end, isMatch) = (_covered, _text.Length, false);
        _covered = _text.Length;
        return end > start;
    }

    /// <summary>Finds the next match; one without text does not count right after another.</summary>
    private bool TryFind(out int start, out int end)
    {
        while (_from <= _text.Length && _matcher.TryFind(_text, _from, out start, out end))
        {
            if (end > start)
            {
                _from = end;
                _lastEnd = end;
                return true;
            }

            _from = end;
            if (_from < _text.Length)
            {
                CodePoints.At(_text, _from, out int units);
                _from += units;
            }
            else
            {
                _from = _text.Length + 1;
            }

            if (start != _lastEnd)
            {
                _lastEnd = end;
                return true;
            }
        }

        start = end = -1;
        _from = _text.Length + 1;
        return false;
    }
}
