using System.Globalization;
using System.Numerics;
using LoraServe.Templates.Runtime;
using LoraServe.Templates.Text;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Python;

/// <summary>Python's format specification: <c>[[fill]align][sign][#][0][width][,][.precision][type]</c>.</summary>
internal sealed record FormatSpec
{
    private const int MaxPrecision = 1000;

    public string Fill { get; init; } = " ";

    public char Align { get; init; }

    public char Sign { get; init; } = '-';

    public bool Alternate { get; init; }

    public int Width { get; init; }

    public char Grouping { get; init; }

    public int? Precision { get; init; }

    public char Type { get; init; }

    public static FormatSpec Parse(string text)
    {
        FormatSpec spec = new();
        int i = 0;
        int first = text.Length > 1 && char.IsSurrogatePair(text, 0) ? 2 : 1;
        if (text.Length > first && text[first] is '<' or '>' or '^' or '=')
        {
            spec = spec with { Fill = text[..first], Align = text[first] };
            i = first + 1;
        }
        else if (text.Length > 0 && text[0] is '<' or '>' or '^' or '=')
        {
            spec = spec with { Align = text[0] };
            i = 1;
        }

        if (i < text.Length && text[i] is '+' or '-' or ' ')
        {
            spec = spec with { Sign = text[i++] };
        }

        if (i < text.Length && text[i] == '#')
        {
            spec = spec with { Alternate = true };
            i++;
        }

        if (i < text.Length && text[i] == '0')
        {
            spec = spec.Align == '\0' ? spec with { Fill = "0", Align = '=' } : spec;
            i++;
        }

        spec = spec with { Width = Number(text, ref i) ?? 0 };
        if (i < text.Length && text[i] is ',' or '_')
        {
            spec = spec with { Grouping = text[i++] };
        }

        if (i < text.Length && text[i] == '.')
        {
            i++;
            spec = spec with { Precision = Number(text, ref i) ?? throw new EvaluationError("Format specifier missing precision") };
        }

        if (i < text.Length)
        {
            spec = spec with { Type = text[i++] };
        }

        return i == text.Length ? spec : throw new EvaluationError($"Invalid format specifier '{text}'");
    }

    public string Format(RenderState state, object? value)
    {
        state.CheckLength(Width);
        if (value is bool && Type == '\0')
        {
            return Pad(state.ToText(value), '<');
        }

        if (value is double || (Numbers.TryInteger(value, out _) && Type is 'e' or 'E' or 'f' or 'F' or 'g' or 'G' or '%'))
        {
            return FormatFloat(Numbers.ToDouble(value!));
        }

        if (Numbers.TryInteger(value, out BigInteger integer))
        {
            return FormatInteger(integer);
        }

        if (Type is not ('\0' or 's'))
        {
            throw new EvaluationError($"Unknown format code '{Type}' for object of type '{TypeName.Of(value)}'");
        }

        string text = state.ToText(value);
        return Pad(Precision is int limit ? text[..PythonText.Utf16Index(text, limit)] : text, '<');
    }

    /// <summary>The digits of an integer in the radix of a type: d, x, X, o, b.</summary>
    public static string InRadix(BigInteger magnitude, char type)
    {
        if (type is not ('x' or 'X' or 'o' or 'b'))
        {
            return magnitude.ToString(CultureInfo.InvariantCulture);
        }

        int shift = type switch { 'o' => 3, 'b' => 1, _ => 4 };
        List<char> digits = [];
        do
        {
            int digit = (int)(magnitude & ((1 << shift) - 1));
            digits.Add((type == 'X' ? "0123456789ABCDEF" : "0123456789abcdef")[digit]);
            magnitude >>= shift;
        }
        while (!magnitude.IsZero);
        digits.Reverse();
        return string.Concat(digits);
    }

    private string FormatInteger(BigInteger value)
    {
        if (Type == 'c')
        {
            return value is { IsZero: false, Sign: > 0 } && value <= 0x10FFFF && !(value >= 0xD800 && value < 0xE000)
                ? Pad(char.ConvertFromUtf32((int)value), '<')
                : throw new EvaluationError("%c arg not in range(0x110000)");
        }

        if (Type is not ('\0' or 'd' or 'n' or 'x' or 'X' or 'o' or 'b') || Precision is not null)
        {
            throw new EvaluationError(Precision is null
                ? $"Unknown format code '{Type}' for object of type 'int'"
                : "Precision not allowed in integer format specifier");
        }

        string prefix = Alternate && Type is 'x' or 'X' or 'o' or 'b' ? $"0{Type}" : "";
        return Signed(value.Sign < 0, prefix, Grouped(InRadix(BigInteger.Abs(value), Type), Type is 'x' or 'X' or 'o' or 'b' ? 4 : 3));
    }

    private string FormatFloat(double value)
    {
        int precision = Precision ?? 6;
        if (precision > MaxPrecision)
        {
            throw new EvaluationError($"a precision of {precision} is more than the {MaxPrecision} allowed");
        }

        double magnitude = Math.Abs(value);
        string digits = !double.IsFinite(value) ? FloatText.Repr(magnitude) + (Type == '%' ? "%" : "") : Type switch
        {
            'f' or 'F' => FloatText.Fixed(magnitude, precision),
            'e' or 'E' => FloatText.Scientific(magnitude, precision),
            'g' or 'G' or 'n' => FloatText.General(magnitude, precision, Alternate),
            '%' => FloatText.Fixed(magnitude * 100, precision) + "%",
            '\0' when Precision is int significant => WithDecimals(FloatText.General(magnitude, significant, keepZeros: false)),
            '\0' => FloatText.Repr(magnitude),
            _ => throw new EvaluationError($"Unknown format code '{Type}' for object of type 'float'"),
        };
        return Signed(double.IsNegative(value), "", Grouped(Type is 'E' or 'G' or 'F' ? digits.ToUpperInvariant() : digits, 3));
    }

    private static string WithDecimals(string text) => text.AsSpan().IndexOfAny('.', 'e') >= 0 ? text : text + ".0";

    private string Grouped(string digits, int size)
    {
        if (Grouping == '\0')
        {
            return digits;
        }

        int whole = digits.AsSpan().IndexOfAny('.', 'e', '%');
        whole = whole < 0 ? digits.Length : whole;
        for (int i = whole - size; i > 0; i -= size)
        {
            digits = digits.Insert(i, Grouping.ToString());
        }

        return digits;
    }

    private string Signed(bool negative, string prefix, string digits)
    {
        string sign = (negative ? "-" : Sign == '-' ? "" : Sign.ToString()) + prefix;
        if (Align != '=')
        {
            return Pad(sign + digits, '>');
        }

        int missing = Math.Max(0, Width - sign.Length - digits.Length);
        return sign + string.Concat(Enumerable.Repeat(Fill, missing)) + digits;
    }

    private string Pad(string text, char byDefault)
    {
        int missing = Math.Max(0, Width - PythonText.Length(text));
        char align = Align == '\0' ? byDefault : Align;
        int left = align switch { '<' => 0, '^' => missing / 2, _ => missing };
        return string.Concat(Enumerable.Repeat(Fill, left)) + text + string.Concat(Enumerable.Repeat(Fill, missing - left));
    }

    private static int? Number(string text, ref int i)
    {
        int start = i;
        while (i < text.Length && char.IsAsciiDigit(text[i]))
        {
            i++;
        }

        if (i == start)
        {
            return null;
        }

        return int.TryParse(text.AsSpan(start, i - start), NumberStyles.None, CultureInfo.InvariantCulture, out int value)
            ? value
            : throw new EvaluationError("Too many decimal digits in format string");
    }
}
