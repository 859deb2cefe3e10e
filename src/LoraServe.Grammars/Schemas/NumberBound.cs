using System.Globalization;
using System.Numerics;

namespace LoraServe.Grammars.Schemas;

/// <summary>A bound of numbers: digits / 10^scale.</summary>
/// <param name="Digits">The number without its point.</param>
/// <param name="Scale">Digits behind the point.</param>
/// <param name="IsIncluded">Whether it is one of the numbers itself.</param>
internal readonly record struct NumberBound(BigInteger Digits, int Scale, bool IsIncluded)
{
    private const int MostDigits = 40;

    /// <summary>Reads a JSON number; null where it has more than some tens of digits.</summary>
    public static NumberBound? TryParse(string json, bool isIncluded)
    {
        int exponentAt = json.IndexOfAny(['e', 'E']);
        string number = exponentAt < 0 ? json : json[..exponentAt];
        int exponent = 0;
        bool isExponentRead = exponentAt < 0 || int.TryParse(json.AsSpan(exponentAt + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out exponent);
        if (number.Length > MostDigits || !isExponentRead || exponent is < -MostDigits or > MostDigits)
        {
            return null;
        }

        int point = number.IndexOf('.', StringComparison.Ordinal);
        int scale = (point < 0 ? 0 : number.Length - point - 1) - exponent;
        var digits = BigInteger.Parse(number.Replace(".", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
        return scale >= 0 ? new NumberBound(digits, scale, isIncluded) : new NumberBound(digits * BigInteger.Pow(10, -scale), 0, isIncluded);
    }

    /// <summary>Whether it is smaller or greater, without regard to whether it is included.</summary>
    public int CompareTo(NumberBound other) => (Digits * BigInteger.Pow(10, other.Scale)).CompareTo(other.Digits * BigInteger.Pow(10, Scale));

    /// <summary>Of one that is not negative: what stands before the point, and behind it without zeros at the end.</summary>
    public (BigInteger Whole, string Fraction) Split()
    {
        var whole = BigInteger.DivRem(Digits, BigInteger.Pow(10, Scale), out BigInteger rest);
        return (whole, rest.ToString(CultureInfo.InvariantCulture).PadLeft(Scale, '0').TrimEnd('0'));
    }

    /// <summary>The least integer that a lower bound lets pass.</summary>
    public BigInteger FirstInteger()
    {
        BigInteger floor = Floor(out bool isWhole);
        return isWhole && IsIncluded ? floor : floor + 1;
    }

    /// <summary>The greatest integer that an upper bound lets pass.</summary>
    public BigInteger LastInteger()
    {
        BigInteger floor = Floor(out bool isWhole);
        return isWhole && !IsIncluded ? floor - 1 : floor;
    }

    private BigInteger Floor(out bool isWhole)
    {
        var whole = BigInteger.DivRem(Digits, BigInteger.Pow(10, Scale), out BigInteger rest);
        isWhole = rest.IsZero;
        return rest.Sign < 0 ? whole - 1 : whole;
    }
}
