using System.Globalization;
using System.Numerics;
using LoraServe.Grammars.Rules;

namespace LoraServe.Grammars.Schemas;

/// <summary>How JSON writes numbers within bounds, exactly: digits are compared as they come.</summary>
internal static class NumberRange
{
    /// <summary>Digits of an integer where nothing bounds it, so that a model cannot write them for ever; any such integer fits 64 bits.</summary>
    private const int UsualDigits = 18;

    /// <summary>Digits before and after the point where nothing bounds them: what a double holds.</summary>
    private const int PreciseDigits = 15;

    private static readonly Expression s_digit = Expression.Of(CharacterSet.Of(('0', '9')));

    /// <summary>Any number, exponent and all.</summary>
    public static Expression AnyNumber { get; } = Expression.Then(
        Expression.Optional(Expression.Of("-")),
        Natural(BigInteger.Zero, Power(PreciseDigits) - 1),
        Expression.Optional(Expression.Then(Expression.Of("."), new Expression.Repeat(s_digit, 1, PreciseDigits))),
        Expression.Optional(Expression.Then(Expression.Of(CharacterSet.Of("eE")), Expression.Optional(Expression.Of(CharacterSet.Of("+-"))), new Expression.Repeat(s_digit, 1, 2))));

    /// <summary>Integers from one to another, both included; null where there is no bound.</summary>
    public static Expression Integers(BigInteger? least, BigInteger? most)
    {
        BigInteger widest = BigInteger.Max(Power(UsualDigits) - 1, 10 * BigInteger.Max(BigInteger.Abs(least ?? 0), BigInteger.Abs(most ?? 0)));
        BigInteger low = least ?? -widest;
        BigInteger high = most ?? widest;
        return Expression.Either(
            Natural(BigInteger.Max(low, 0), high),
            Expression.Then(Expression.Of("-"), Natural(BigInteger.Max(-high, 1), -low)));
    }

    /// <summary>Numbers between two, without exponents; null where there is no bound.</summary>
    public static Expression Numbers(NumberBound? least, NumberBound? most)
    {
        NumberBound zero = new(BigInteger.Zero, 0, IsIncluded: true);
        NumberBound? negated = Negated(least);
        return Expression.Either(
            NotNegative(least is { } low && low.CompareTo(zero) >= 0 ? low : zero, most),
            Expression.Then(Expression.Of("-"), NotNegative(Negated(most) is { } high && high.CompareTo(zero) >= 0 ? high : zero with { IsIncluded = false }, negated)));
    }

    private static NumberBound? Negated(NumberBound? bound) => bound is { } value ? value with { Digits = -value.Digits } : null;

    private static Expression NotNegative(NumberBound least, NumberBound? most)
    {
        if (most is { } limit && (limit.Digits.Sign < 0 || least.CompareTo(limit) > 0))
        {
            return Expression.None;
        }

        (BigInteger low, string lowFraction) = least.Split();
        (BigInteger Whole, string Fraction)? high = most?.Split();
        BigInteger widest = BigInteger.Max(Power(PreciseDigits) - 1, 10 * low);
        if (high is { } end && end.Whole == low)
        {
            return Expression.Then(Whole(low), Fraction(new FractionBounds(lowFraction, least.IsIncluded, end.Fraction, most!.Value.IsIncluded)));
        }

        List<Expression> ways =
        [
            Expression.Then(Whole(low), Fraction(new FractionBounds(lowFraction, least.IsIncluded, null, true))),
            Expression.Then(Natural(low + 1, high is { } above ? above.Whole - 1 : widest), Fraction(FractionBounds.Free)),
        ];
        if (high is { } last)
        {
            ways.Add(Expression.Then(Whole(last.Whole), Fraction(new FractionBounds(null, true, last.Fraction, most!.Value.IsIncluded))));
        }

        return Expression.Either(ways);
    }

    private static Expression Whole(BigInteger value) => Expression.Of(value.ToString(CultureInfo.InvariantCulture));

    /// <summary>Nothing, or a point and digits.</summary>
    private static Expression Fraction(FractionBounds bounds)
    {
        int length = PreciseDigits + Math.Max(bounds.Low?.Length ?? 0, bounds.High?.Length ?? 0);
        Expression digits = Expression.Then(Expression.Of("."), NextDigit(bounds, length));
        return bounds.HoldsZero ? Expression.Optional(digits) : digits;
    }

    private static Expression Digits(FractionBounds bounds, int length)
    {
        if (bounds == FractionBounds.Free)
        {
            return new Expression.Repeat(s_digit, 0, length);
        }

        if (length == 0)
        {
            return bounds.HoldsZero ? Expression.Empty : Expression.None;
        }

        Expression next = NextDigit(bounds, length);
        return bounds.HoldsZero ? Expression.Optional(next) : next;
    }

    /// <summary>At least one digit.</summary>
    private static Expression NextDigit(FractionBounds bounds, int length)
    {
        (int low, int high) = bounds.Digits;
        List<Expression> ways = [];
        for (int digit = low; digit <= high;)
        {
            // Digits between the two bounds go on in the same way.
            FractionBounds rest = bounds.After(digit);
            int last = digit;
            while (rest == FractionBounds.Free && last < high && bounds.After(last + 1) == rest)
            {
                last++;
            }

            ways.Add(Expression.Then(Expression.Of(CharacterSet.Of(('0' + digit, '0' + last))), Digits(rest, length - 1)));
            digit = last + 1;
        }

        return Expression.Either(ways);
    }

    /// <summary>Natural numbers from one to another, without zeros before them.</summary>
    private static Expression Natural(BigInteger least, BigInteger most)
    {
        List<Expression> ways = [];
        string low = least.ToString(CultureInfo.InvariantCulture);
        int longest = most < least ? 0 : most.ToString(CultureInfo.InvariantCulture).Length;
        for (int length = low.Length; length <= longest; length++)
        {
            BigInteger first = BigInteger.Max(least, length == 1 ? 0 : Power(length - 1));
            BigInteger last = BigInteger.Min(most, Power(length) - 1);
            ways.Add(SameLength(first.ToString(CultureInfo.InvariantCulture), last.ToString(CultureInfo.InvariantCulture)));
        }

        return Expression.Either(ways);
    }

    private static Expression SameLength(string low, string high)
    {
        if (low.Length == 0)
        {
            return Expression.Empty;
        }

        if (low.All(digit => digit == '0') && high.All(digit => digit == '9'))
        {
            return new Expression.Repeat(s_digit, low.Length, low.Length);
        }

        if (low[0] == high[0])
        {
            return Expression.Then(Expression.Of(low[..1]), SameLength(low[1..], high[1..]));
        }

        string zeros = new('0', low.Length - 1);
        string nines = new('9', low.Length - 1);
        List<Expression> ways = [];
        (char from, char to) = (low[0], high[0]);
        if (low[1..] != zeros)
        {
            ways.Add(Expression.Then(Expression.Of(low[..1]), SameLength(low[1..], nines)));
            from++;
        }

        if (high[1..] != nines)
        {
            ways.Add(Expression.Then(Expression.Of(high[..1]), SameLength(zeros, high[1..])));
            to--;
        }

        if (from <= to)
        {
            ways.Add(Expression.Then(Expression.Of(CharacterSet.Of((from, to))), SameLength(zeros, nines)));
        }

        return Expression.Either(ways);
    }

    private static BigInteger Power(int digits) => BigInteger.Pow(10, digits);
}
