namespace LoraServe.Tokenization.Patterns;

/// <content>Repetitions: what stands after an atom.</content>
internal sealed partial class PatternParser
{
    private const int MaxRepeat = 1000;

    private PatternNode ParseRepeats(PatternNode atom)
    {
        int repeats = 0;
        while (_at < _text.Length)
        {
            int start = _at;
            (int Min, int? Max)? bounds = ParseBounds(out bool isInterval);
            if (bounds is not { } range)
            {
                return atom;
            }

            if (++repeats > 10)
            {
                throw Refused("too many repetitions of a repetition", start);
            }

            if (TryTake('?'))
            {
                atom = new PatternNode.Repeat(atom, range.Min, range.Max, Lazy: true);
            }
            else
            {
                atom = new PatternNode.Repeat(atom, range.Min, range.Max, Lazy: false);
                // After an interval '+' is one more repetition, not the possessive form.
                if (!isInterval && TryTake('+'))
                {
                    atom = new PatternNode.Atomic(atom);
                }
            }
        }

        return atom;
    }

    private (int Min, int? Max)? ParseBounds(out bool isInterval)
    {
        isInterval = false;
        switch (_text[_at])
        {
            case '*':
                _at++;
                return (0, null);
            case '+':
                _at++;
                return (1, null);
            case '?':
                _at++;
                return (0, 1);
            case '{':
                isInterval = true;
                return ParseInterval();
            default:
                return null;
        }
    }

    /// <summary>Reads {n}, {n,}, {,m} or {n,m}; anything else is a literal brace.</summary>
    private (int Min, int? Max)? ParseInterval()
    {
        int start = _at++;
        int? min = ReadNumber();
        bool comma = TryTake(',');
        int? max = comma ? ReadNumber() : min;
        if ((min is null && max is null) || !TryTake('}'))
        {
            _at = start;
            return null;
        }

        int low = min ?? 0;
        if (low > MaxRepeat || max > MaxRepeat)
        {
            throw Refused($"more than {MaxRepeat} repetitions", start);
        }

        return max < low ? throw Refused("the bounds of a repetition are the wrong way round", start) : (low, max);
    }

    private int? ReadNumber()
    {
        int start = _at;
        int value = 0;
        for (; _at < _text.Length && char.IsAsciiDigit(_text[_at]); _at++)
        {
            value = Math.Min(value * 10 + (_text[_at] - '0'), 1_000_000);
        }

        return _at == start ? null : value;
    }
}
