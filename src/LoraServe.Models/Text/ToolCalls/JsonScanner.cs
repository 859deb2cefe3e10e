namespace LoraServe.Models.Text.ToolCalls;

/// <summary>Follows a JSON value letter by letter, as strictly as a parser, and says at each what place it is at.</summary>
internal sealed class JsonScanner
{
    /// <summary>Deeper values are refused; what tools take is nowhere near.</summary>
    public const int MaxDepth = 64;

    private const string Escaped = "\"\\/bfnrt";

    private readonly bool[] _isObject = new bool[MaxDepth];
    private Place _place = Place.Value;
    private string _word = "";
    private int _read;

    private enum Place
    {
        Value,
        ValueOrEnd,
        Key,
        KeyOrEnd,
        Colon,
        CommaOrEnd,
        KeyText,
        Text,
        Escape,
        KeyEscape,
        Hex,
        KeyHex,
        Word,
        Minus,
        Zero,
        Integer,
        Point,
        Fraction,
        Exponent,
        ExponentSign,
        ExponentDigits,
    }

    /// <summary>Objects and arrays that are open.</summary>
    public int Depth { get; private set; }

    /// <summary>Whether a value came to its end. A number's end shows by what follows only.</summary>
    public bool IsComplete => Depth == 0 && _place == Place.CommaOrEnd;

    /// <summary>Whether a member's name may begin here.</summary>
    public bool ExpectsKey => _place is Place.Key or Place.KeyOrEnd;

    /// <summary>Whether a value may begin here.</summary>
    public bool ExpectsValue => _place is Place.Value or Place.ValueOrEnd;

    /// <summary>Whether a value, or a member's name, has just come to its end.</summary>
    public bool IsBehindValue => _place == Place.CommaOrEnd;

    /// <summary>Whether it is within a text.</summary>
    public bool IsInText => _place is Place.Text or Place.Escape or Place.Hex or Place.KeyText or Place.KeyEscape or Place.KeyHex;

    /// <summary>Whether it is behind a member's name.</summary>
    public bool IsBehindKey => _place == Place.Colon;

    /// <summary>White space between parts of JSON.</summary>
    public static bool IsSpace(char letter) => letter is ' ' or '\t' or '\n' or '\r';

    /// <summary>Whether a text is an object and nothing else.</summary>
    public static bool IsObject(string text)
    {
        var scanner = new JsonScanner();
        int at = 0;
        while (at < text.Length && IsSpace(text[at]))
        {
            at++;
        }

        if (at == text.Length || text[at] != '{')
        {
            return false;
        }

        for (; at < text.Length; at++)
        {
            if (scanner.IsComplete ? !IsSpace(text[at]) : !scanner.Push(text[at]))
            {
                return false;
            }
        }

        return scanner.IsComplete;
    }

    /// <summary>Whether a text is one value and nothing else.</summary>
    public static bool IsValue(string text)
    {
        // The only item of an array, so that a number has an end, too.
        var scanner = new JsonScanner();
        scanner.Push('[');
        return text.AsSpan().ContainsAnyExcept(" \t\r\n") && text.All(letter => !(letter == ',' && scanner.Depth == 1 && !scanner.IsInText) && scanner.Push(letter) && scanner.Depth > 0)
            && scanner.Push(']') && scanner.IsComplete;
    }

    /// <summary>Takes the next letter; false where it cannot stand here.</summary>
    public bool Push(char letter) => _place switch
    {
        Place.KeyText => InText(letter, Place.Colon, Place.KeyEscape),
        Place.Text => InText(letter, Place.CommaOrEnd, Place.Escape),
        Place.KeyEscape => AfterBackslash(letter, Place.KeyText, Place.KeyHex),
        Place.Escape => AfterBackslash(letter, Place.Text, Place.Hex),
        Place.KeyHex => InHex(letter, Place.KeyText),
        Place.Hex => InHex(letter, Place.Text),
        Place.Word => InWord(letter),
        >= Place.Minus => InNumber(letter) || (IsNumberEnd() && Between(letter)),
        _ => Between(letter),
    };

    private bool Between(char letter)
    {
        if (IsSpace(letter))
        {
            return Depth > 0;
        }

        return (_place, letter) switch
        {
            (Place.Key or Place.KeyOrEnd, '"') => Go(Place.KeyText),
            (Place.Colon, ':') => Go(Place.Value),
            (Place.CommaOrEnd, ',') when Depth > 0 => Go(_isObject[Depth - 1] ? Place.Key : Place.Value),
            (Place.CommaOrEnd or Place.KeyOrEnd, '}') when Depth > 0 && _isObject[Depth - 1] => Close(),
            (Place.CommaOrEnd or Place.ValueOrEnd, ']') when Depth > 0 && !_isObject[Depth - 1] => Close(),
            (Place.Value or Place.ValueOrEnd, _) => Begin(letter),
            _ => false,
        };
    }

    private bool Begin(char letter)
    {
        switch (letter)
        {
            case '{' or '[' when Depth < MaxDepth:
                _isObject[Depth++] = letter == '{';
                return Go(letter == '{' ? Place.KeyOrEnd : Place.ValueOrEnd);
            case '"':
                return Go(Place.Text);
            case 't' or 'f' or 'n':
                _word = letter == 't' ? "true" : letter == 'f' ? "false" : "null";
                _read = 1;
                return Go(Place.Word);
            case '-':
                return Go(Place.Minus);
            case '0':
                return Go(Place.Zero);
            case >= '1' and <= '9':
                return Go(Place.Integer);
            default:
                return false;
        }
    }

    private bool InText(char letter, Place behind, Place escape) => letter switch
    {
        '"' => Go(behind),
        '\\' => Go(escape),
        < ' ' => false,
        _ => true,
    };

    private bool AfterBackslash(char letter, Place text, Place hex)
    {
        _read = 0;
        return letter == 'u' ? Go(hex) : Escaped.Contains(letter) && Go(text);
    }

    private bool InHex(char letter, Place text) => char.IsAsciiHexDigit(letter) && (++_read < 4 || Go(text));

    private bool InWord(char letter) => letter == _word[_read] && (++_read < _word.Length || Go(Place.CommaOrEnd));

    private bool InNumber(char letter) => (_place, letter) switch
    {
        (Place.Minus, '0') => Go(Place.Zero),
        (Place.Minus or Place.Integer, >= '0' and <= '9') => Go(Place.Integer),
        (Place.Zero or Place.Integer, '.') => Go(Place.Point),
        (Place.Point or Place.Fraction, >= '0' and <= '9') => Go(Place.Fraction),
        (Place.Zero or Place.Integer or Place.Fraction, 'e' or 'E') => Go(Place.Exponent),
        (Place.Exponent, '+' or '-') => Go(Place.ExponentSign),
        (Place.Exponent or Place.ExponentSign or Place.ExponentDigits, >= '0' and <= '9') => Go(Place.ExponentDigits),
        _ => false,
    };

    private bool IsNumberEnd() => _place is Place.Zero or Place.Integer or Place.Fraction or Place.ExponentDigits && Go(Place.CommaOrEnd);

    private bool Close()
    {
        Depth--;
        return Go(Place.CommaOrEnd);
    }

    private bool Go(Place place)
    {
        _place = place;
        return true;
    }
}
