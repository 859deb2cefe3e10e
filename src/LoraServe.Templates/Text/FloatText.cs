using System.Globalization;
using System.Numerics;

namespace LoraServe.Templates.Text;

/// <summary>Floats as text: Python's repr, and the exact decimal forms behind round and the format specifications.</summary>
internal static class FloatText
{
    /// <summary>The shortest text that reads back as the same number; with an exponent from 1e16 up and below 1e-4.</summary>
    public static string Repr(double value)
    {
        if (!double.IsFinite(value))
        {
            return double.IsNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
        }

        (string digits, int exponent) = Digits(value.ToString("R", CultureInfo.InvariantCulture));
        string sign = double.IsNegative(value) ? "-" : "";
        if (value != 0 && exponent is < -4 or >= 16)
        {
            string mantissa = digits.Length == 1 ? digits : $"{digits[0]}.{digits[1..]}";
            return sign + mantissa + ExponentText(exponent);
        }

        if (exponent < 0)
        {
            return $"{sign}0.{new string('0', -exponent - 1)}{digits}";
        }

        string whole = digits.PadRight(exponent + 1, '0');
        return whole.Length == exponent + 1 ? $"{sign}{whole}.0" : $"{sign}{whole[..(exponent + 1)]}.{whole[(exponent + 1)..]}";
    }

    /// <summary>A fixed number of decimals, the exact value rounded half to even.</summary>
    public static string Fixed(double value, int decimals)
    {
        BigInteger scaled = Scale(Math.Abs(value), decimals);
        string digits = scaled.ToString(CultureInfo.InvariantCulture).PadLeft(decimals + 1, '0');
        string sign = double.IsNegative(value) ? "-" : "";
        return decimals == 0 ? sign + digits : $"{sign}{digits[..^decimals]}.{digits[^decimals..]}";
    }

    /// <summary>One digit, the decimals and an exponent of at least two digits.</summary>
    public static string Scientific(double value, int decimals)
    {
        string text = value.ToString("E" + decimals.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        int split = text.IndexOf('E', StringComparison.Ordinal);
        return text[..split] + ExponentText(int.Parse(text.AsSpan(split + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture));
    }

    /// <summary>The shorter of the two forms with this many significant digits, trailing zeros dropped: %g.</summary>
    public static string General(double value, int precision, bool keepZeros)
    {
        precision = Math.Max(1, precision);
        string scientific = Scientific(value, precision - 1);
        int exponent = int.Parse(scientific.AsSpan(scientific.IndexOf('e', StringComparison.Ordinal) + 1),
            NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        if (exponent >= -4 && exponent < precision)
        {
            string text = Fixed(value, precision - 1 - exponent);
            return keepZeros ? text : DropZeros(text);
        }

        int split = scientific.IndexOf('e', StringComparison.Ordinal);
        return keepZeros ? scientific : DropZeros(scientific[..split]) + scientific[split..];
    }

    private static string DropZeros(string text) => text.Contains('.') ? text.TrimEnd('0').TrimEnd('.') : text;

    private static string ExponentText(int exponent) =>
        $"e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent).ToString("00", CultureInfo.InvariantCulture)}";

    /// <summary>Significant digits without trailing zeros, and the decimal exponent of the first.</summary>
    private static (string Digits, int Exponent) Digits(string text)
    {
        text = text.TrimStart('-');
        int e = text.IndexOf('E', StringComparison.Ordinal);
        int exponent = e < 0 ? 0 : int.Parse(text.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        string mantissa = e < 0 ? text : text[..e];
        int point = mantissa.IndexOf('.', StringComparison.Ordinal);
        int wholeDigits = point < 0 ? mantissa.Length : point;
        string digits = mantissa.Replace(".", "", StringComparison.Ordinal);
        int leadingZeros = digits.Length - digits.TrimStart('0').Length;
        string significant = digits.Trim('0');
        return significant.Length == 0 ? ("0", 0) : (significant, exponent + wholeDigits - 1 - leadingZeros);
    }

    private static BigInteger Scale(double value, int decimals)
    {
        long bits = BitConverter.DoubleToInt64Bits(value);
        int biased = (int)(bits >> 52) & 0x7FF;
        long mantissa = (bits & ((1L << 52) - 1)) | (biased == 0 ? 0 : 1L << 52);
        int exponent = Math.Max(biased, 1) - 1075;
        BigInteger scaled = mantissa * BigInteger.Pow(10, decimals);
        if (exponent >= 0)
        {
            return scaled << exponent;
        }

        BigInteger quotient = scaled >> -exponent;
        BigInteger doubled = (scaled - (quotient << -exponent)) << 1;
        int order = doubled.CompareTo(BigInteger.One << -exponent);
        return order > 0 || (order == 0 && !quotient.IsEven) ? quotient + 1 : quotient;
    }
}
