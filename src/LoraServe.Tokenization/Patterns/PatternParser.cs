using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.Patterns;

/// <summary>Reads Oniguruma's syntax of regular expressions into a tree.</summary>
internal sealed partial class PatternParser(string expression)
{
    private const int MaxDepth = 100;

    private readonly string _text = CodePoints.WellFormed(expression);
    private int _at;
    private int _depth;

    public PatternNode Parse()
    {
        PatternNode node = ParseChoice(new Flags());
        return _at == _text.Length ? node : throw Refused("unmatched ')'");
    }

    private PatternNode ParseChoice(Flags flags)
    {
        if (++_depth > MaxDepth)
        {
            throw Refused($"groups are nested more than {MaxDepth} deep");
        }

        List<PatternNode> choices = [ParseSequence(ref flags)];
        while (TryTake('|'))
        {
            choices.Add(ParseSequence(ref flags));
        }

        _depth--;
        return choices.Count == 1 ? choices[0] : new PatternNode.Choice(choices);
    }

    private PatternNode ParseSequence(ref Flags flags)
    {
        List<PatternNode> parts = [];
        while (_at < _text.Length && _text[_at] is not ('|' or ')'))
        {
            if (flags.Extended && (char.IsWhiteSpace(_text[_at]) || _text[_at] == '#'))
            {
                SkipComment();
            }
            else if (TryParseFlags(ref flags))
            {
                // (?i) holds to the end of the group, other choices included.
            }
            else
            {
                parts.Add(ParseRepeats(ParseAtom(flags)));
            }
        }

        return parts.Count == 1 ? parts[0] : new PatternNode.Sequence(parts);
    }

    private void SkipComment()
    {
        if (_text[_at++] == '#')
        {
            while (_at < _text.Length && _text[_at] != '\n')
            {
                _at++;
            }
        }
    }

    /// <summary>Reads <c>(?i)</c> and the like; leaves the place alone if something else stands there.</summary>
    private bool TryParseFlags(ref Flags flags)
    {
        int start = _at;
        if (TryTake("(?") && TryReadFlags(flags, out Flags changed) && TryTake(')'))
        {
            flags = changed;
            return true;
        }

        _at = start;
        return false;
    }

    private bool TryReadFlags(Flags old, out Flags flags)
    {
        flags = old;
        bool on = true;
        int start = _at;
        for (; _at < _text.Length && _text[_at] is ('-' or 'i' or 'm' or 'x'); _at++)
        {
            switch (_text[_at])
            {
                case '-':
                    on = false;
                    break;
                case 'i':
                    flags = flags with { IgnoreCase = on };
                    break;
                case 'm':
                    flags = flags with { DotMatchesNewLine = on };
                    break;
                default:
                    flags = flags with { Extended = on };
                    break;
            }
        }

        return _at > start;
    }

    private PatternNode ParseAtom(Flags flags)
    {
        char c = _text[_at];
        switch (c)
        {
            case '(':
                return ParseGroup(flags);
            case '[':
                return Set(new CodePointClassParser(_text, Refused).Parse(ref _at, flags.IgnoreCase), flags);
            case '.':
                _at++;
                return new PatternNode.One(flags.DotMatchesNewLine ? CodePointSet.Any : CodePointSet.NotNewLine);
            case '^':
                _at++;
                return new PatternNode.Anchor(AnchorKind.LineStart);
            case '$':
                _at++;
                return new PatternNode.Anchor(AnchorKind.LineEnd);
            case '\\':
                return ParseEscape(flags);
            case '*' or '+' or '?':
                throw Refused($"'{c}' has nothing to repeat");
            default:
                int codePoint = CodePoints.At(_text, _at, out int units);
                _at += units;
                return Set(CodePointSet.Single(codePoint), flags);
        }
    }

    private static PatternNode.One Set(CodePointSet set, Flags flags) => new(flags.IgnoreCase ? set.IgnoringCase() : set);

    private PatternNode ParseEscape(Flags flags)
    {
        char c = _at + 1 < _text.Length ? _text[_at + 1] : throw Refused("'\\' ends the expression");
        AnchorKind? anchor = c switch
        {
            'A' => AnchorKind.TextStart,
            'z' => AnchorKind.TextEnd,
            'Z' => AnchorKind.TextEndOrLastNewLine,
            'b' => AnchorKind.WordBoundary,
            'B' => AnchorKind.NotWordBoundary,
            _ => null,
        };
        if (anchor is { } kind)
        {
            _at += 2;
            return new PatternNode.Anchor(kind);
        }

        if (c == 'R')
        {
            _at += 2;
            PatternNode pair = new PatternNode.Sequence([new PatternNode.One(CodePointSet.Single('\r')), new PatternNode.One(CodePointSet.Single('\n'))]);
            PatternNode single = new PatternNode.One(CodePointSet.Ranges(['\n', '\r', 0x85, 0x85, 0x2028, 0x2029]));
            return new PatternNode.Atomic(new PatternNode.Choice([pair, single]));
        }

        if (c is 'k' or 'g' or 'G' or 'K' or 'X' or (>= '1' and <= '9'))
        {
            throw Refused($"'\\{c}' is not supported");
        }

        return Set(CodePointEscape.Parse(_text, ref _at, Refused), flags);
    }

    private PatternNode ParseGroup(Flags flags)
    {
        int start = _at++;
        PatternNode Inner(Func<PatternNode, PatternNode> make)
        {
            PatternNode body = ParseChoice(flags);
            return TryTake(')') ? make(body) : throw Refused("'(' is never closed", start);
        }

        if (!TryTake('?'))
        {
            return Inner(body => body);
        }

        if (TryTake('#'))
        {
            int end = _text.IndexOf(')', _at);
            _at = end < 0 ? throw Refused("'(' is never closed", start) : end + 1;
            return new PatternNode.Sequence([]);
        }

        if (TryTake("=") || TryTake("!"))
        {
            bool negative = _text[_at - 1] == '!';
            return Inner(body => new PatternNode.Look(body, negative, null));
        }

        if (TryTake("<=") || TryTake("<!"))
        {
            bool negative = _text[_at - 1] == '!';
            return Inner(body => new PatternNode.Look(body, negative, body.Width ?? throw Refused("a look-behind has no fixed width", start)));
        }

        if (TryTake('>'))
        {
            return Inner(body => new PatternNode.Atomic(body));
        }

        if (TryTake(':'))
        {
            return Inner(body => body);
        }

        if (TryTake('<') || TryTake("P<"))
        {
            int end = _text.IndexOf('>', _at);
            if (end <= _at || !_text.AsSpan(_at, end - _at).ToArray().All(c => char.IsLetterOrDigit(c) || c == '_'))
            {
                throw Refused("a group's name is not a name", start);
            }

            _at = end + 1;
            return Inner(body => body);
        }

        if (TryReadFlags(flags, out flags) && TryTake(':'))
        {
            return Inner(body => body);
        }

        throw Refused("this kind of group is not supported", start);
    }

    private bool TryTake(char c)
    {
        if (_at < _text.Length && _text[_at] == c)
        {
            _at++;
            return true;
        }

        return false;
    }

    private bool TryTake(string text)
    {
        if (string.CompareOrdinal(_text, _at, text, 0, text.Length) == 0)
        {
            _at += text.Length;
            return true;
        }

        return false;
    }

    private FormatException Refused(string reason) => Refused(reason, _at);

    private static FormatException Refused(string reason, int place) =>
        new($"invalid regular expression at character {place}: {reason}");

    private readonly record struct Flags(bool IgnoreCase, bool DotMatchesNewLine, bool Extended);
}
