using System.Globalization;
using System.Numerics;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Parsing;

/// <summary>Integers (decimal, 0x, 0o, 0b) and floats, digits grouped by underscores.</summary>
internal static class NumberLiteral
{
    private const int MaxDigits = 4300;

    /// <summary>The kind of the number at <paramref name="start"/> and where it ends.</summary>
    public static (TokenKind Kind, int End) Scan(string source, int start)
    {
        if (source[start] == '0' && start + 2 < source.Length && RadixOf(source[start + 1]) is int radix)
        {
            int digits = start + 2;
            int end = Digits(source, source[digits] == '_' ? digits + 1 : digits, radix);
            if (end > digits && source[end - 1] != '_')
            {
                return (TokenKind.Integer, end);
            }
        }

        int whole = Digits(source, start, 10);
        int last = whole;

        // "1.5" is a float, "x.0.5" (an index into an index) is not.
        bool isIndex = start > 0 && source[start - 1] == '.';
        if (!isIndex && last + 1 < source.Length && source[last] == '.' && char.IsAsciiDigit(source[last + 1]))
        {
            last = Digits(source, last + 1, 10);
        }

        if (!isIndex && last < source.Length && source[last] is 'e' or 'E')
        {
            int exponent = last + 1 < source.Length && source[last + 1] is '+' or '-' ? last + 2 : last + 1;
            if (exponent < source.Length && char.IsAsciiDigit(source[exponent]))
            {
                last = Digits(source, exponent, 10);
            }
        }

        return last > whole ? (TokenKind.Float, last) : (TokenKind.Integer, whole);
    }

    /// <summary>The value of an integer token.</summary>
    public static object ParseInteger(string text, int line)
    {
        string digits = text.Replace("_", "", StringComparison.Ordinal);
        if (digits.Length > MaxDigits)
        {
            throw new SyntaxError($"an integer of {digits.Length} digits is more than the {MaxDigits} allowed", line);
        }

        if (digits.Length > 2 && RadixOf(digits[1]) is int radix)
        {
            BigInteger value = 0;
            foreach (char c in digits.AsSpan(2))
            {
                value = (value * radix) + Convert.ToInt32(c.ToString(), 16);
            }

            return Numbers.Normalize(value);
        }

        return Numbers.Normalize(BigInteger.Parse(digits, CultureInfo.InvariantCulture));
    }

    /// <summary>The value of a float token.</summary>
    public static object ParseFloat(string text) =>
        double.Parse(text.Replace("_", "", StringComparison.Ordinal), NumberStyles.Float, CultureInfo.InvariantCulture);

    private static int? RadixOf(char c) => c switch
    {
        'x' or 'X' => 16,
        'o' or 'O' => 8,
        'b' or 'B' => 2,
        _ => null,
    };

    private static int Digits(string source, int i, int radix)
    {
        while (i < source.Length
            && (IsDigit(source[i], radix) || (source[i] == '_' && i + 1 < source.Length && IsDigit(source[i + 1], radix))))
        {
            i++;
        }

        return i;
    }

    private static bool IsDigit(char c, int radix) =>
        radix == 16 ? char.IsAsciiHexDigit(c) : c >= '0' && c < '0' + radix;
}
