using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;

namespace LoraServe.Models.Text.ToolCalls;

/// <summary>Reads Python calls whose arguments are named literals, and writes these as JSON. All of a text must be such calls, alone, in a list, or printed.</summary>
internal ref struct PythonCalls
{
    private const string Print = "print";

    private readonly ReadOnlySpan<char> _code;
    private int _at;

    private PythonCalls(ReadOnlySpan<char> code) => _code = code;

    /// <summary>The calls with their arguments; null where the text is anything else.</summary>
    public static List<(string Name, string Arguments)>? Read(ReadOnlySpan<char> code)
    {
        var reader = new PythonCalls(code);
        var calls = new List<(string, string)>();
        bool isList = reader.Skip('[');
        while (!reader.IsAtEnd && !(isList && reader.Skip(']')))
        {
            if (!reader.Call(calls))
            {
                return null;
            }

            while (reader.Skip(',') || reader.Skip(';'))
            {
                // Lines part calls as well.
            }
        }

        return reader.IsAtEnd ? calls : null;
    }

    /// <summary>A literal as JSON; null where the text is anything else.</summary>
    public static string? ReadValue(ReadOnlySpan<char> code)
    {
        var reader = new PythonCalls(code);
        var json = new StringBuilder();
        return reader.Value(json, 1) && reader.IsAtEnd ? json.ToString() : null;
    }

    private bool IsAtEnd
    {
        get
        {
            SkipSpace();
            return _at == _code.Length;
        }
    }

    private char Current => _at < _code.Length ? _code[_at] : '\0';

    private bool Call(List<(string Name, string Arguments)> calls)
    {
        string name = Name(mayHaveDots: true);
        if (name.Length == 0 || !Skip('('))
        {
            return false;
        }

        SkipSpace();
        if (name == Print && Current != ')')
        {
            return Call(calls) && Skip(')');
        }

        var json = new StringBuilder("{");
        while (!Skip(')'))
        {
            string argument = Name(mayHaveDots: false);
            if (argument.Length == 0 || !Skip('='))
            {
                return false;
            }

            json.Append(json.Length > 1 ? ", " : "").Append('"').Append(argument).Append("\": ");
            if (!Value(json, 1) || !(Skip(',') || Current == ')'))
            {
                return false;
            }
        }

        calls.Add((name, json.Append('}').ToString()));
        return true;
    }

    private bool Value(StringBuilder json, int depth)
    {
        SkipSpace();
        switch (Current)
        {
            case '"' or '\'':
                return Text(json);
            case '[' when depth < JsonScanner.MaxDepth:
                return Items(json, '[', ']', depth);
            case '(' when depth < JsonScanner.MaxDepth:
                return Items(json, '(', ')', depth);
            case '{' when depth < JsonScanner.MaxDepth:
                return Entries(json, depth);
            case >= '0' and <= '9' or '-' or '+' or '.':
                return Number(json);
            default:
                string? word = Name(mayHaveDots: false) switch { "True" or "true" => "true", "False" or "false" => "false", "None" or "null" => "null", _ => null };
                json.Append(word);
                return word is not null;
        }
    }

    private bool Items(StringBuilder json, char opening, char closing, int depth)
    {
        Skip(opening);
        json.Append('[');
        for (int i = 0; !Skip(closing); i++)
        {
            json.Append(i > 0 ? ", " : "");
            if (!Value(json, depth + 1) || !(Skip(',') || Current == closing))
            {
                return false;
            }
        }

        json.Append(']');
        return true;
    }

    private bool Entries(StringBuilder json, int depth)
    {
        Skip('{');
        json.Append('{');
        for (int i = 0; !Skip('}'); i++)
        {
            json.Append(i > 0 ? ", " : "");
            SkipSpace();
            if (Current is not ('"' or '\'') || !Text(json) || !Skip(':'))
            {
                return false;
            }

            json.Append(": ");
            if (!Value(json, depth + 1) || !(Skip(',') || Current == '}'))
            {
                return false;
            }
        }

        json.Append('}');
        return true;
    }

    private bool Number(StringBuilder json)
    {
        int from = _at;
        while (char.IsAsciiLetterOrDigit(Current) || Current is '.' or '_' or '+' or '-')
        {
            _at++;
        }

        string number = _code[from.._at].ToString().Replace("_", "", StringComparison.Ordinal).TrimStart('+');
        if (JsonScanner.IsValue(number))
        {
            json.Append(number);
            return true;
        }

        // Python's 1. and .5 are no JSON.
        bool isNumber = double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value);
        json.Append(value.ToString("R", CultureInfo.InvariantCulture));
        return isNumber;
    }

    // A text, or several that stand side by side, which are one.
    private bool Text(StringBuilder json)
    {
        var text = new StringBuilder();
        do
        {
            if (!OneText(text))
            {
                return false;
            }

            SkipSpace();
        }
        while (Current is '"' or '\'');

        json.Append('"').Append(JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(text.ToString())).Append('"');
        return true;
    }

    private bool OneText(StringBuilder text)
    {
        char quote = Current;
        ReadOnlySpan<char> triple = [quote, quote, quote];
        bool isLong = _code[_at..].StartsWith(triple);
        _at += isLong ? 3 : 1;
        while (_at < _code.Length)
        {
            if (isLong ? _code[_at..].StartsWith(triple) : Current == quote)
            {
                _at += isLong ? 3 : 1;
                return true;
            }

            if (Current == '\n' && !isLong)
            {
                return false;
            }

            if (Current == '\\')
            {
                _at++;
                if (!Escaped(text))
                {
                    return false;
                }
            }
            else
            {
                text.Append(_code[_at++]);
            }
        }

        return false;
    }

    private bool Escaped(StringBuilder text)
    {
        char letter = Current;
        _at++;
        switch (letter)
        {
            case 'n' or 't' or 'r' or 'b' or 'f' or 'v' or 'a' or '0':
                text.Append(letter switch { 'n' => '\n', 't' => '\t', 'r' => '\r', 'b' => '\b', 'f' => '\f', 'v' => '\v', 'a' => '\a', _ => '\0' });
                return true;
            case 'x' or 'u' or 'U':
                int digits = letter == 'x' ? 2 : letter == 'u' ? 4 : 8;
                if (_at + digits > _code.Length || !int.TryParse(_code.Slice(_at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int code) || code is < 0 or > 0x10FFFF)
                {
                    return false;
                }

                _at += digits;
                text.Append(code < 0x10000 ? ((char)code).ToString() : char.ConvertFromUtf32(code));
                return true;
            case '\n':
                return true;
            case '\\' or '\'' or '"':
                text.Append(letter);
                return true;
            default:
                text.Append('\\').Append(letter);
                return letter != '\0';
        }
    }

    private string Name(bool mayHaveDots)
    {
        SkipSpace();
        int from = _at;
        while (char.IsLetterOrDigit(Current) || Current == '_' || (mayHaveDots && Current is '.' or '-'))
        {
            _at++;
        }

        return _at == from || char.IsAsciiDigit(_code[from]) ? "" : _code[from.._at].ToString();
    }

    private bool Skip(char letter)
    {
        SkipSpace();
        bool isHere = _at < _code.Length && _code[_at] == letter;
        _at += isHere ? 1 : 0;
        return isHere;
    }

    private void SkipSpace()
    {
        while (_at < _code.Length && char.IsWhiteSpace(_code[_at]))
        {
            _at++;
        }
    }
}
