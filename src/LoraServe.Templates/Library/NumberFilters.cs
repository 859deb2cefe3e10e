using System.Globalization;
using System.Numerics;
using LoraServe.Templates.Runtime;
using LoraServe.Templates.Text;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Library;

/// <summary>Filters that make or change numbers.</summary>
internal static class NumberFilters
{
    private static readonly string[] s_decimalUnits = ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];
    private static readonly string[] s_binaryUnits = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"];

    public static void Register(Action<string, string, Func<RenderState, Arguments, object?>> add)
    {
        add("int", "value default? base?", (_, a) => ToInteger(Defined(a[0]), a.Integer(2, 10)) ?? (a.Has(1) ? a[1] : 0L));
        add("float", "value default?", (_, a) => ToFloat(Defined(a[0])) is double number ? number : a.Has(1) ? a[1] : 0.0);
        add("abs", "value", (_, a) => Number(a[0]) is double number
            ? Math.Abs(number)
            : Numbers.Apply("*", a[0]!, Numbers.Compare(a[0]!, 0L) < 0 ? -1L : 1L));
        add("round", "value precision? method?", Round);
        add("filesizeformat", "value binary?", (_, a) => FileSize(
            ToFloat(Defined(a[0])) ?? throw new EvaluationError("filesizeformat needs a number"), a.IsTrue(1)));
    }

    private static object? Defined(object? value) => value is Undefined undefined ? throw undefined.Error() : value;

    private static object Number(object? value) => Numbers.IsNumber(Defined(value))
        ? value!
        : throw new EvaluationError($"bad operand type: a number is required, not '{TypeName.Of(value)}'");

    private static object? ToInteger(object? value, int radix)
    {
        if (value is double number)
        {
            return double.IsFinite(number) ? Numbers.Normalize(new BigInteger(number)) : null;
        }

        if (Numbers.TryInteger(value, out BigInteger integer))
        {
            return Numbers.Normalize(integer);
        }

        if (Markup.TextOf(value) is not { } text)
        {
            return null;
        }

        return ParseInteger(PythonText.Trim(text, null), radix) ?? (ToFloat(text) is double real ? ToInteger(real, 10) : null);
    }

    private static object? ParseInteger(string text, int radix)
    {
        bool negative = text.StartsWith('-');
        string digits = negative || text.StartsWith('+') ? text[1..] : text;
        char letter = digits.Length > 2 && digits[0] == '0' ? char.ToLowerInvariant(digits[1]) : ' ';
        if ((radix, letter) is (16, 'x') or (8, 'o') or (2, 'b'))
        {
            digits = digits[2..];
        }

        if (digits.Length is 0 or > 4300 || digits[0] == '_' || digits[^1] == '_' || digits.Contains("__", StringComparison.Ordinal))
        {
            return null;
        }

        BigInteger value = 0;
        foreach (char c in digits.Where(c => c != '_'))
        {
            int digit = char.IsAsciiLetter(c) ? char.ToLowerInvariant(c) - 'a' + 10 : (int)char.GetNumericValue(c);
            if (digit < 0 || digit >= radix)
            {
                return null;
            }

            value = (value * radix) + digit;
        }

        return Numbers.Normalize(negative ? -value : value);
    }

    private static double? ToFloat(object? value)
    {
        if (Numbers.IsNumber(value))
        {
            return Numbers.ToDouble(value!);
        }

        string text = PythonText.Trim(Markup.TextOf(value) ?? "", null).ToLowerInvariant();
        string unsigned = text.TrimStart('+', '-');
        if (unsigned is "inf" or "infinity" or "nan")
        {
            double special = unsigned == "nan" ? double.NaN : double.PositiveInfinity;
            return text.StartsWith('-') ? -special : special;
        }

        return !text.Contains("__", StringComparison.Ordinal) && double.TryParse(text.Replace("_", "", StringComparison.Ordinal), NumberStyles.Float, CultureInfo.InvariantCulture, out double number)
            ? number
            : null;
    }

    private static object Round(RenderState state, Arguments a)
    {
        object value = Number(a[0]);
        int precision = a.Integer(1, 0);
        string method = a.OptionalText(2) ?? "common";
        if (method is not ("common" or "ceil" or "floor"))
        {
            throw new EvaluationError("method must be common, ceil or floor");
        }

        if (method == "common" && value is not double)
        {
            Numbers.TryInteger(value, out BigInteger integer);
            return precision >= 0 ? Numbers.Normalize(integer) : RoundInteger(integer, Math.Min(-(long)precision, 5000));
        }

        double number = Numbers.ToDouble(value);
        if (method == "common")
        {
            return Math.Abs(precision) > 400 || !double.IsFinite(number) ? (precision < 0 ? 0.0 : number)
                : precision >= 0 ? double.Parse(FloatText.Fixed(number, precision), CultureInfo.InvariantCulture)
                : Numbers.ToDouble(RoundInteger(new BigInteger(Math.Round(number, MidpointRounding.AwayFromZero)), -precision));
        }

        double scale = Math.Pow(10, precision);
        return (method == "ceil" ? Math.Ceiling(number * scale) : Math.Floor(number * scale)) / scale;
    }

    private static object RoundInteger(BigInteger value, long digits)
    {
        BigInteger unit = BigInteger.Pow(10, (int)digits);
        BigInteger quotient = BigInteger.DivRem(BigInteger.Abs(value), unit, out BigInteger remainder);
        int order = (remainder * 2).CompareTo(unit);
        quotient += order > 0 || (order == 0 && !quotient.IsEven) ? 1 : 0;
        return Numbers.Normalize(quotient * unit * value.Sign);
    }

    private static string FileSize(double bytes, bool binary)
    {
        double unit = binary ? 1024 : 1000;
        if (bytes == 1)
        {
            return "1 Byte";
        }

        if (bytes < unit)
        {
            return $"{FloatText.Fixed(Math.Truncate(bytes), 0)} Bytes";
        }

        string[] names = binary ? s_binaryUnits : s_decimalUnits;
        double scale = unit;
        int i = 0;
        while (i < names.Length - 1 && bytes >= scale * unit)
        {
            scale *= unit;
            i++;
        }

        return $"{FloatText.Fixed(bytes / scale, 1)} {names[i]}";
    }
}
