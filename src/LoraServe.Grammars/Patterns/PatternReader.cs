using System.Globalization;
using System.Text;
using LoraServe.Grammars.Rules;

namespace LoraServe.Grammars.Patterns;

/// <summary>Reads regular expressions: characters, classes, groups, alternatives, quantifiers, and anchors at the ends.</summary>
/// <remarks>
/// Classes are those of ECMAScript: <c>\d</c> and <c>\w</c> are ASCII, <c>\s</c> is Unicode's white space, <c>.</c> is all but line ends. Characters are Unicode's,
/// whatever their length in UTF-8. As it is asked which texts match, and not where, lazy quantifiers are as good as greedy ones. What looks around or back is refused.
/// </remarks>
internal sealed class PatternReader
{
    /// <summary>What errors call a pattern.</summary>
    public const string What = "regular expression";

    private const int MostDepth = 100;
    private const int MostCount = 100_000;

    private static readonly CharacterSet s_digits = CharacterSet.Of(('0', '9'));
    private static readonly CharacterSet s_wordCharacters = CharacterSet.Of(('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z'));
    private static readonly CharacterSet s_lineEnds = CharacterSet.Of("\n\r\u2028\u2029");
    private static readonly CharacterSet s_spaces = CharacterSet.Of((9, 13), (0x2000, 0x200A)).Union(CharacterSet.Of(" \u00A0\u1680\u2028\u2029\u202F\u205F\u3000\uFEFF"));

    private readonly string _what;
    private readonly string _pattern;
    private readonly Func<CharacterSet, Expression> _spell;
    private int _at;
    private int _depth;

    private PatternReader(string pattern, string what, Func<CharacterSet, Expression> spell)
    {
        (_pattern, _what, _spell) = (pattern, what, spell);
    }

    /// <summary>The rules of texts that a pattern matches from beginning to end.</summary>
    public static RuleSet ReadRules(string pattern)
    {
        RuleSet rules = new(What, mostDepth: 1);
        rules.Add("the expression", Read(pattern, What, Expression.Of, isSearch: false));
        return rules;
    }

    /// <summary>The texts that a pattern matches.</summary>
    /// <param name="pattern">The pattern.</param>
    /// <param name="what">What errors call it.</param>
    /// <param name="spell">How a character is written.</param>
    /// <param name="isSearch">Whether it may match a part of the text where it has no anchors.</param>
    public static Expression Read(string pattern, string what, Func<CharacterSet, Expression> spell, bool isSearch)
    {
        PatternReader reader = new(pattern, what, spell);
        Expression whole = reader.Branches(isOutermost: true, isSearch);
        return reader._at == pattern.Length ? whole : throw reader.Refused("')' has no '(' before it; write \\) for the character");
    }

    private Expression Branches(bool isOutermost, bool isSearch = false)
    {
        if (++_depth > MostDepth)
        {
            throw Refused($"more than {MostDepth} groups within each other");
        }

        List<Expression> branches = [Branch(isOutermost, isSearch)];
        while (TryTake('|'))
        {
            branches.Add(Branch(isOutermost, isSearch));
        }

        _depth--;
        return Expression.Either(branches);
    }

    private Expression Branch(bool isOutermost, bool isSearch)
    {
        Expression anything = new Expression.Repeat(_spell(CharacterSet.Any), 0, null);
        List<Expression> parts = [];
        if (!(isOutermost && TryTakeAnchor('^', 'A')) && isSearch)
        {
            parts.Add(anything);
        }

        bool isAnchored = false;
        while (_at < _pattern.Length && _pattern[_at] is not ('|' or ')'))
        {
            if (isOutermost && TryTakeAnchor('$', 'z'))
            {
                isAnchored = true;
                if (_at < _pattern.Length && _pattern[_at] != '|')
                {
                    throw Refused("something follows an anchor of the end");
                }

                break;
            }

            parts.Add(Quantified(Atom()));
        }

        if (isSearch && !isAnchored)
        {
            parts.Add(anything);
        }

        return Expression.Then(parts);
    }

    private bool TryTakeAnchor(char sign, char letter)
    {
        if (TryTake(sign))
        {
            return true;
        }

        bool isThere = _at + 1 < _pattern.Length && _pattern[_at] == '\\' && (_pattern[_at + 1] == letter || (letter == 'z' && _pattern[_at + 1] == 'Z'));
        _at += isThere ? 2 : 0;
        return isThere;
    }

    private Expression Atom()
    {
        switch (_pattern[_at])
        {
            case '(':
                return Group();
            case '[':
                return _spell(Class());
            case '.':
                _at++;
                return _spell(s_lineEnds.Complement());
            case '\\':
                return _spell(Escape(isInClass: false));
            case '^' or '$':
                throw Refused("anchors can stand at the ends only");
            case '*' or '+' or '?':
                throw Refused("there is nothing to repeat");
            case '{' when TryReadCounts(out _, out _):
                throw Refused("there is nothing to repeat");
            default:
                int character = Character();
                return _spell(CharacterSet.Of((character, character)));
        }
    }

    private Expression Group()
    {
        int open = _at++;
        if (TryTake('?') && !TryTake(':'))
        {
            string kind = _pattern[_at..Math.Min(_at + 2, _pattern.Length)];
            if (kind.StartsWith('=') || kind.StartsWith('!'))
            {
                throw Refused($"'(?{kind[0]}' looks ahead, which is not supported", open);
            }

            if (kind is "<=" or "<!")
            {
                throw Refused($"'(?{kind}' looks behind, which is not supported", open);
            }

            int close = _pattern.IndexOf('>', _at);
            bool isNamed = (kind.StartsWith('<') || kind.StartsWith("P<", StringComparison.Ordinal)) && close > 0;
            _at = isNamed ? close + 1 : throw Refused($"'(?{kind}' is not supported; expected a group that is '(', '(?:' or named", open);
        }

        Expression group = Branches(isOutermost: false);
        return TryTake(')') ? group : throw Refused("'(' has no ')'", open);
    }

    private Expression Quantified(Expression atom)
    {
        if (_at == _pattern.Length)
        {
            return atom;
        }

        (int Least, int? Most)? counts = _pattern[_at] switch
        {
            '*' => (0, null),
            '+' => (1, null),
            '?' => (0, 1),
            _ => null,
        };
        if (counts is not null)
        {
            _at++;
        }
        else if (_pattern[_at] == '{' && TryReadCounts(out counts, out int end))
        {
            _at = end;
        }
        else
        {
            return atom;
        }

        if (TryTake('+'))
        {
            throw Refused("a possessive quantifier is not supported", _at - 1);
        }

        _ = TryTake('?');
        if (_at < _pattern.Length && _pattern[_at] is '*' or '+' or '?')
        {
            throw Refused("two quantifiers follow each other; put the first into a group");
        }

        return new Expression.Repeat(atom, counts!.Value.Least, counts.Value.Most);
    }

    /// <summary>Reads counts in braces, if they are some: other braces are characters.</summary>
    private bool TryReadCounts(out (int Least, int? Most)? counts, out int end)
    {
        counts = null;
        string first = Digits(_at + 1);
        end = _at + 1 + first.Length;
        bool hasSecond = end < _pattern.Length && _pattern[end] == ',';
        string second = hasSecond ? Digits(end + 1) : first;
        end += hasSecond ? 1 + second.Length : 0;
        if (first.Length == 0 || end >= _pattern.Length || _pattern[end++] != '}')
        {
            return false;
        }

        int least = Count(first);
        int? most = second.Length == 0 ? null : Count(second);
        if (most < least)
        {
            throw Refused($"'{{{first},{second}}}' repeats more often at least than at most");
        }

        counts = (least, most);
        return true;
    }

    private string Digits(int start)
    {
        int end = start;
        while (end < _pattern.Length && char.IsAsciiDigit(_pattern[end]))
        {
            end++;
        }

        return _pattern[start..end];
    }

    private int Count(string digits) =>
        int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count <= MostCount
            ? count
            : throw Refused($"{digits} repetitions; at most {MostCount} are possible");

    private CharacterSet Class()
    {
        int open = _at++;
        bool isNegated = TryTake('^');
        List<(int First, int Last)> ranges = [];
        bool isFirst = true;
        while (true)
        {
            if (_at >= _pattern.Length)
            {
                throw Refused("'[' has no ']'", open);
            }

            if (_pattern[_at] == ']' && !isFirst)
            {
                _at++;
                CharacterSet set = CharacterSet.Of(ranges);
                return isNegated ? set.Complement() : set;
            }

            // An empty class, which ECMAScript has, matches nothing and helps nobody; elsewhere the bracket is a character.
            if (_pattern.AsSpan(_at).StartsWith("[:"))
            {
                throw Refused("a named class such as [:alpha:] is not supported; write its characters");
            }

            isFirst = false;
            CharacterSet item = ClassItem();
            if (_at + 1 < _pattern.Length && _pattern[_at] == '-' && _pattern[_at + 1] != ']')
            {
                _at++;
                item = Range(item, ClassItem());
            }

            ranges.AddRange(item.Ranges);
        }
    }

    private CharacterSet ClassItem()
    {
        if (_at < _pattern.Length && _pattern[_at] == '\\')
        {
            return Escape(isInClass: true);
        }

        int character = Character();
        return CharacterSet.Of((character, character));
    }

    private CharacterSet Range(CharacterSet first, CharacterSet last)
    {
        if (first.Ranges is not [(int from, int same)] || from != same || last.Ranges is not [(int to, int alike)] || to != alike)
        {
            throw Refused("a range needs a character at each of its ends");
        }

        return from <= to ? CharacterSet.Of((from, to)) : throw Refused("the ends of a range are in the wrong order");
    }

    private CharacterSet Escape(bool isInClass)
    {
        int start = _at++;
        if (_at >= _pattern.Length)
        {
            throw Refused("a backslash at the end", start);
        }

        char letter = _pattern[_at++];
        return letter switch
        {
            'd' => s_digits,
            'D' => s_digits.Complement(),
            'w' => s_wordCharacters,
            'W' => s_wordCharacters.Complement(),
            's' => s_spaces,
            'S' => s_spaces.Complement(),
            'n' => One('\n'),
            'r' => One('\r'),
            't' => One('\t'),
            'f' => One('\f'),
            'v' => One('\v'),
            'a' => One('\a'),
            'e' => One(0x1B),
            'b' when isInClass => One('\b'),
            '0' when _at == _pattern.Length || !char.IsAsciiDigit(_pattern[_at]) => One(0),
            'x' => One(Hexadecimal(2)),
            'u' => One(TryTake('{') ? BracedHexadecimal() : Utf16()),
            'b' or 'B' => throw Refused($"'\\{letter}' looks at the border of a word, which is not supported", start),
            'k' or (>= '0' and <= '9') => throw Refused($"'\\{letter}' refers to what a group matched, which is not supported", start),
            'p' or 'P' => throw Refused($"'\\{letter}' names a property of characters, which is not supported; write the ranges", start),
            'A' or 'z' or 'Z' or 'G' => throw Refused($"'\\{letter}' is an anchor; anchors can stand at the ends only", start),
            _ when char.IsAsciiLetter(letter) => throw Refused($"'\\{letter}' is not supported", start),
            _ => One(CharacterFrom(--_at)),
        };
    }

    private static CharacterSet One(int character) => CharacterSet.Of((character, character));

    private int CharacterFrom(int at)
    {
        _at = at;
        return Character();
    }

    private int Character()
    {
        if (Rune.DecodeFromUtf16(_pattern.AsSpan(_at), out Rune rune, out int length) != System.Buffers.OperationStatus.Done)
        {
            throw Refused("half of a surrogate pair");
        }

        _at += length;
        return rune.Value;
    }

    /// <summary>Four digits, or twice so many for a character that UTF-16 writes as two.</summary>
    private int Utf16()
    {
        int first = Hexadecimal(4);
        if (!char.IsHighSurrogate((char)first) || !_pattern.AsSpan(_at).StartsWith("\\u"))
        {
            return first;
        }

        _at += 2;
        int second = Hexadecimal(4);
        return char.IsLowSurrogate((char)second) ? char.ConvertToUtf32((char)first, (char)second) : throw Refused("half of a surrogate pair");
    }

    private int BracedHexadecimal()
    {
        int close = _pattern.IndexOf('}', _at);
        int character = close > _at && close <= _at + 6 ? Hexadecimal(close - _at) : throw Refused("'\\u{' needs one to six hexadecimal digits and '}'");
        _at++;
        return character;
    }

    private int Hexadecimal(int digits)
    {
        if (_at + digits > _pattern.Length || !int.TryParse(_pattern.AsSpan(_at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int value))
        {
            throw Refused($"expected {digits} hexadecimal digits");
        }

        _at += digits;
        return value <= CharacterSet.Last ? value : throw Refused("there is no such character");
    }

    private bool TryTake(char expected)
    {
        bool isThere = _at < _pattern.Length && _pattern[_at] == expected;
        _at += isThere ? 1 : 0;
        return isThere;
    }

    private GrammarException Refused(string problem, int? at = null) => new($"{_what}, character {(at ?? _at) + 1}: {problem}.");
}
