using LoraServe.Templates.Text;

namespace LoraServe.Templates.Parsing;

/// <summary>Cuts a template into text and tags, and applies whitespace control (trim_blocks and lstrip_blocks are on).</summary>
internal sealed class Lexer
{
    private readonly List<Token> _tokens = [];
    private readonly string _source;
    private int _position;
    private int _line = 1;

    // Whether what was matched last ended with a newline: decides if blanks before a block tag are indentation.
    private bool _lineStarting = true;

    public Lexer(string source)
    {
        string text = source.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        _source = text.EndsWith('\n') ? text[..^1] : text;
    }

    public List<Token> Read()
    {
        while (_position < _source.Length)
        {
            int tag = FindTag(_position);
            if (tag < 0)
            {
                AddData(_source[_position..]);
                Advance(_source.Length);
                break;
            }

            char kind = _source[tag + 1];
            char sign = SignAt(tag + 2);
            AddData(TrimBeforeTag(_source[_position..tag], sign, isVariable: kind == '{'));
            Advance(tag);
            if (kind == '#')
            {
                ReadComment(sign);
            }
            else if (kind == '%' && RawBegin(tag + (sign == '\0' ? 2 : 3)) is { } contentStart)
            {
                ReadRaw(contentStart);
            }
            else
            {
                ReadTag(kind, sign);
            }
        }

        _tokens.Add(new Token(TokenKind.End, "", _line));
        return _tokens;
    }

    private int FindTag(int from)
    {
        for (int i = _source.IndexOf('{', from); i >= 0 && i + 1 < _source.Length; i = _source.IndexOf('{', i + 1))
        {
            if (_source[i + 1] is '{' or '%' or '#')
            {
                return i;
            }
        }

        return -1;
    }

    private char SignAt(int index) => index < _source.Length && _source[index] is '-' or '+' ? _source[index] : '\0';

    private string TrimBeforeTag(string text, char sign, bool isVariable)
    {
        if (sign == '-')
        {
            return PythonText.TrimEnd(text);
        }

        if (sign == '+' || isVariable)
        {
            return text;
        }

        int lineStart = text.LastIndexOf('\n') + 1;
        bool isIndentation = (lineStart > 0 || _lineStarting) && PythonText.IsBlank(text.AsSpan(lineStart));
        return isIndentation ? text[..lineStart] : text;
    }

    private void AddData(string text)
    {
        if (text.Length > 0)
        {
            _tokens.Add(new Token(TokenKind.Data, text, _line));
        }
    }

    private void Advance(int to)
    {
        _line += _source.AsSpan(_position, to - _position).Count('\n');
        _lineStarting = to > _position && _source[to - 1] == '\n';
        _position = to;
    }

    /// <summary>Moves behind a tag's end at <paramref name="end"/>, taking the blanks that its sign or trim_blocks takes.</summary>
    private void CloseTag(int end, char sign, bool trimNewline)
    {
        if (sign == '-')
        {
            while (end < _source.Length && PythonText.IsSpace(_source[end]))
            {
                end++;
            }
        }
        else if (trimNewline && sign != '+' && end < _source.Length && _source[end] == '\n')
        {
            end++;
        }

        Advance(end);
    }

    private void ReadComment(char sign)
    {
        int end = _source.IndexOf("#}", _position + (sign == '\0' ? 2 : 3), StringComparison.Ordinal);
        if (end < 0)
        {
            throw new SyntaxError("Missing end of comment tag", _line);
        }

        CloseTag(end + 2, SignAt(end - 1), trimNewline: true);
    }

    /// <summary>Where the content of a raw block starts, if one is opened at <paramref name="i"/> (behind the tag's sign).</summary>
    private (int End, char Sign)? RawBegin(int i) => TagNamed("raw", i);

    private (int End, char Sign)? TagNamed(string name, int i)
    {
        i = SkipSpace(i);
        if (string.CompareOrdinal(_source, i, name, 0, name.Length) != 0)
        {
            return null;
        }

        i = SkipSpace(i + name.Length);
        char sign = SignAt(i);
        if (sign != '\0')
        {
            i++;
        }

        return string.CompareOrdinal(_source, i, "%}", 0, 2) == 0 ? (i + 2, sign) : null;
    }

    private int SkipSpace(int i)
    {
        while (i < _source.Length && PythonText.IsSpace(_source[i]))
        {
            i++;
        }

        return i;
    }

    private void ReadRaw((int End, char Sign) begin)
    {
        CloseTag(begin.End, begin.Sign, trimNewline: false);
        for (int i = _source.IndexOf("{%", _position, StringComparison.Ordinal); i >= 0;
             i = _source.IndexOf("{%", i + 2, StringComparison.Ordinal))
        {
            char sign = SignAt(i + 2);
            if (TagNamed("endraw", i + (sign == '\0' ? 2 : 3)) is { } end)
            {
                AddData(TrimBeforeTag(_source[_position..i], sign, isVariable: false));
                Advance(i);
                CloseTag(end.End, end.Sign, trimNewline: true);
                return;
            }
        }

        throw new SyntaxError("Missing end of raw directive", _line);
    }

    private void ReadTag(char kind, char sign)
    {
        bool isVariable = kind == '{';
        _tokens.Add(new Token(isVariable ? TokenKind.VariableBegin : TokenKind.BlockBegin, "", _line));
        Advance(_position + (sign == '\0' ? 2 : 3));
        Stack<char> open = new();
        string close = isVariable ? "}}" : "%}";
        while (_position < _source.Length)
        {
            char c = _source[_position];
            if (PythonText.IsSpace(c))
            {
                Advance(SkipSpace(_position));
                continue;
            }

            if (open.Count == 0)
            {
                char endSign = c == '-' || (c == '+' && !isVariable) ? c : '\0';
                int end = _position + (endSign == '\0' ? 0 : 1);
                if (string.CompareOrdinal(_source, end, close, 0, 2) == 0)
                {
                    _tokens.Add(new Token(isVariable ? TokenKind.VariableEnd : TokenKind.BlockEnd, "", _line));
                    CloseTag(end + 2, endSign, trimNewline: !isVariable);
                    return;
                }
            }

            ReadExpressionToken(c, open);
        }
    }

    private void ReadExpressionToken(char c, Stack<char> open)
    {
        if (char.IsAsciiDigit(c))
        {
            (TokenKind kind, int end) = NumberLiteral.Scan(_source, _position);
            Add(kind, end);
        }
        else if (c == '_' || char.IsLetterOrDigit(c))
        {
            int end = _position + 1;
            while (end < _source.Length && (_source[end] == '_' || char.IsLetterOrDigit(_source[end])))
            {
                end++;
            }

            Add(TokenKind.Name, end);
        }
        else if (c is '"' or '\'')
        {
            ReadString(c);
        }
        else
        {
            string symbol = Operator();
            if (symbol is "(" or "[" or "{")
            {
                open.Push(symbol[0] switch { '(' => ')', '[' => ']', _ => '}' });
            }
            else if (symbol is ")" or "]" or "}" && (!open.TryPop(out char expected) || expected != symbol[0]))
            {
                throw new SyntaxError(expected == '\0' ? $"unexpected '{symbol}'" : $"unexpected '{symbol}', expected '{expected}'", _line);
            }

            Add(TokenKind.Operator, _position + symbol.Length);
        }
    }

    private void Add(TokenKind kind, int end)
    {
        _tokens.Add(new Token(kind, _source[_position..end], _line));
        Advance(end);
    }

    private string Operator()
    {
        foreach (string symbol in (ReadOnlySpan<string>)["**", "//", "==", "!=", "<=", ">="])
        {
            if (string.CompareOrdinal(_source, _position, symbol, 0, 2) == 0)
            {
                return symbol;
            }
        }

        char c = _source[_position];
        return "+-/*%~[](){}<>=.:|,;".Contains(c)
            ? c.ToString()
            : throw new SyntaxError($"unexpected char '{c}' at {_position}", _line);
    }

    private void ReadString(char quote)
    {
        int end = _position + 1;
        while (end < _source.Length && _source[end] != quote)
        {
            end += _source[end] == '\\' ? 2 : 1;
        }

        if (end >= _source.Length)
        {
            throw new SyntaxError($"unexpected char {PythonText.Repr(quote.ToString())} at {_position}: the string is not closed", _line);
        }

        string value = StringLiteral.Unescape(_source.AsSpan(_position + 1, end - _position - 1), _line);
        _tokens.Add(new Token(TokenKind.String, value, _line));
        Advance(end + 1);
    }
}
