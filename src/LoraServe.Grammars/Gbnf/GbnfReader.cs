using System.Globalization;
using System.Text;
using System.Text.Json;
using LoraServe.Grammars.Rules;
using LoraServe.Grammars.Schemas;

namespace LoraServe.Grammars.Gbnf;

/// <summary>Reads grammars in the notation of llama.cpp: <c>name ::= alternatives</c>, literals, character classes, groups, <c>* + ? {m,n}</c>, comments; the rule <c>root</c> is the whole.</summary>
/// <remarks>Besides, as llguidance has it: <c>%json {…}</c> is any JSON text that satisfies the schema behind it; <c>%json[…] {…}</c> writes the characters of the class as escapes.</remarks>
internal sealed class GbnfReader
{
    /// <summary>What errors call a grammar.</summary>
    public const string What = "grammar";

    /// <summary>How deep rules may be within rules while a text is written.</summary>
    private const int MostDepth = 1000;

    private const string Schema = "%json";
    private const int MostGroups = 100;
    private const int MostCount = 100_000;

    private readonly string _text;
    private readonly RuleSet _rules = new(What, MostDepth);
    private readonly Dictionary<string, JsonRules> _json = []; // by the characters that are escaped
    private readonly Dictionary<string, int> _numbers = [];
    private readonly Dictionary<string, int> _firstUses = [];
    private int _at;
    private int _groups;
    private byte[]? _bytes; // the text in UTF-8, of which so many characters are so many bytes
    private (int Characters, int Bytes) _counted;

    private GbnfReader(string text) => _text = text;

    /// <summary>The rules of a grammar.</summary>
    public static RuleSet Read(string text)
    {
        GbnfReader reader = new(text);
        reader.ReadRules();
        return reader._rules;
    }

    private char Current => _at < _text.Length ? _text[_at] : '\0';

    private void ReadRules()
    {
        _ = Number("root");
        SkipSpace(overLines: true);
        while (_at < _text.Length)
        {
            int start = _at;
            string name = Name() ?? throw Refused($"expected the name of a rule, found '{Current}'");
            SkipSpace(overLines: false);
            if (!_text.AsSpan(_at).StartsWith("::="))
            {
                throw Refused($"expected '::=' after '{name}'");
            }

            _at += 3;
            SkipSpace(overLines: true);
            int number = Number(name);
            if (_rules.Body(number) is not null)
            {
                throw Refused($"'{name}' is defined twice", start);
            }

            _rules.Define(number, Alternatives(isGroup: false));
            if (_at < _text.Length && Current is not ('\n' or '\r'))
            {
                throw Refused($"'{Current}' is not expected here");
            }

            SkipSpace(overLines: true);
        }

        foreach ((string name, int number) in _numbers)
        {
            if (_rules.Body(number) is null)
            {
                throw name == "root"
                    ? new GrammarException($"{What}: it has no rule 'root', which says what the whole text is.")
                    : Refused($"'{name}' is used, and not defined", _firstUses[name]);
            }
        }
    }

    private Expression Alternatives(bool isGroup)
    {
        List<Expression> alternatives = [Sequence(isGroup)];
        while (Current == '|')
        {
            _at++;
            SkipSpace(overLines: true);
            alternatives.Add(Sequence(isGroup));
        }

        return Expression.Either(alternatives);
    }

    private Expression Sequence(bool isGroup)
    {
        List<Expression> parts = [];
        while (Item() is { } item)
        {
            SkipSpace(isGroup);
            item = Repeated(item);
            SkipSpace(isGroup);
            parts.Add(item);
        }

        return Expression.Then(parts);
    }

    private Expression? Item()
    {
        switch (Current)
        {
            case '"':
                return Literal();
            case '[':
                return Expression.Of(Characters());
            case '.':
                _at++;
                return Expression.Of(CharacterSet.Any);
            case '(':
                int open = _at++;
                if (++_groups > MostGroups)
                {
                    throw Refused($"more than {MostGroups} groups within each other");
                }

                SkipSpace(overLines: true);
                Expression group = Alternatives(isGroup: true);
                if (Current != ')')
                {
                    throw Refused("'(' has no ')'", open);
                }

                _at++;
                _groups--;
                return group;
            case '%' when _text.AsSpan(_at).StartsWith(Schema):
                return Json();
            case '<' or '!':
                throw Refused("tokens cannot be named in a grammar: it is about text");
            default:
                int start = _at;
                if (Name() is not { } name)
                {
                    return null;
                }

                _firstUses.TryAdd(name, start);
                return new Expression.Reference(Number(name));
        }
    }

    private Expression Repeated(Expression item)
    {
        (int Least, int? Most) counts;
        switch (Current)
        {
            case '*':
                counts = (0, null);
                break;
            case '+':
                counts = (1, null);
                break;
            case '?':
                counts = (0, 1);
                break;
            case '{':
                counts = Counts();
                break;
            default:
                return item;
        }

        _at++;
        return new Expression.Repeat(item, counts.Least, counts.Most);
    }

    private (int Least, int? Most) Counts()
    {
        int open = _at++;
        int close = _text.IndexOf('}', open);
        string[] numbers = close < 0 ? [] : _text[_at..close].Split(',', StringSplitOptions.TrimEntries);
        int? most = null;
        if (numbers.Length is not (1 or 2) || !IsCount(numbers[0], out int least) || !(numbers[^1].Length == 0 || (IsCount(numbers[^1], out int last) && (most = last) >= least)))
        {
            throw Refused($"expected {{m}}, {{m,}} or {{m,n}} with numbers up to {MostCount}, the second not smaller", open);
        }

        _at = close;
        return (least, most);
    }

    private static bool IsCount(string digits, out int count) =>
        int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out count) && count <= MostCount;

    private Expression Json()
    {
        int start = _at;
        _at += Schema.Length;
        CharacterSet escaped = Current == '[' ? Characters() : CharacterSet.Of();
        string key = _text[(start + Schema.Length).._at];
        if (!_json.TryGetValue(key, out JsonRules? json))
        {
            if (escaped.Ranges is [.., { Last: > char.MaxValue }])
            {
                throw Refused("only characters up to U+FFFF have escapes", start);
            }

            _json.Add(key, json = new JsonRules(_rules, new JsonSpelling(escaped)));
        }

        SkipSpace(overLines: false);
        _bytes ??= Encoding.UTF8.GetBytes(_text);
        _counted = (_at, _counted.Bytes + Encoding.UTF8.GetByteCount(_text.AsSpan(_counted.Characters.._at)));
        ReadOnlyMemory<byte> rest = _bytes.AsMemory(_counted.Bytes);
        try
        {
            var reader = new Utf8JsonReader(rest.Span, new JsonReaderOptions { MaxDepth = SchemaReader.MostDepth });
            _ = reader.Read();
            reader.Skip();
            int length = (int)reader.BytesConsumed;
            _at += Encoding.UTF8.GetCharCount(rest.Span[..length]);
            _counted = (_at, _counted.Bytes + length);
            return SchemaReader.Read(rest[..length], _rules, json);
        }
        catch (Exception error) when (error is JsonException or GrammarException)
        {
            throw Refused($"{Schema}: {error.Message.TrimEnd('.')}", start);
        }
    }

    private Expression Literal()
    {
        int open = _at++;
        StringBuilder text = new();
        while (Current != '"')
        {
            if (_at >= _text.Length || Current is '\n')
            {
                throw Refused("a text has no '\"' at its end", open);
            }

            text.Append(new Rune(Character()).ToString());
        }

        _at++;
        return Expression.Of(text.ToString());
    }

    private CharacterSet Characters()
    {
        int open = _at++;
        bool isNegated = Current == '^';
        _at += isNegated ? 1 : 0;
        List<(int, int)> ranges = [];
        while (Current != ']')
        {
            if (_at >= _text.Length)
            {
                throw Refused("'[' has no ']'", open);
            }

            int first = Character();
            int last = first;
            if (Current == '-' && _at + 1 < _text.Length && _text[_at + 1] != ']')
            {
                _at++;
                last = Character();
            }

            ranges.Add(first <= last ? (first, last) : throw Refused("the ends of a range are in the wrong order"));
        }

        _at++;
        CharacterSet set = CharacterSet.Of(ranges);
        return isNegated ? set.Complement() : set;
    }

    private int Character()
    {
        int start = _at;
        if (Current == '\\')
        {
            _at += 2;
            char letter = start + 1 < _text.Length ? _text[start + 1] : '\0';
            return letter switch
            {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                '\\' or '"' or '[' or ']' or '-' or '^' => letter,
                'x' => Hexadecimal(2),
                'u' => Hexadecimal(4),
                'U' => Hexadecimal(8),
                _ => throw Refused($"'\\{letter}' is not known", start),
            };
        }

        if (Rune.DecodeFromUtf16(_text.AsSpan(_at), out Rune rune, out int length) != System.Buffers.OperationStatus.Done)
        {
            throw Refused("half of a surrogate pair");
        }

        _at += length;
        return rune.Value;
    }

    private int Hexadecimal(int digits)
    {
        if (_at + digits > _text.Length || !uint.TryParse(_text.AsSpan(_at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint value) || !Rune.IsValid(value))
        {
            throw Refused($"expected {digits} hexadecimal digits of a character");
        }

        _at += digits;
        return (int)value;
    }

    private string? Name()
    {
        int start = _at;
        while (char.IsAsciiLetterOrDigit(Current) || Current is '-' or '_')
        {
            _at++;
        }

        return _at > start ? _text[start.._at] : null;
    }

    private int Number(string name)
    {
        if (!_numbers.TryGetValue(name, out int number))
        {
            _numbers.Add(name, number = _rules.Reserve(name));
        }

        return number;
    }

    private void SkipSpace(bool overLines)
    {
        while (Current is ' ' or '\t' or '#' || (overLines && Current is '\n' or '\r'))
        {
            if (Current == '#')
            {
                int end = _text.IndexOf('\n', _at);
                _at = end < 0 ? _text.Length : end;
            }
            else
            {
                _at++;
            }
        }
    }

    private GrammarException Refused(string problem, int? at = null)
    {
        int line = _text.AsSpan(0, Math.Min(at ?? _at, _text.Length)).Count('\n') + 1;
        return new GrammarException($"{What}, line {line}: {problem}.");
    }
}
