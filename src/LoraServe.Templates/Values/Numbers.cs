using System.Numerics;

namespace LoraServe.Templates.Values;

/// <summary>Python's arithmetic. An int is a long where it fits, a BigInteger (bounded) beyond; booleans count as 0 and 1.</summary>
internal static class Numbers
{
    private const int MaxBits = 1 << 14;

    public static bool IsNumber(object? value) => value is long or double or bool or BigInteger;

    public static object Normalize(BigInteger value)
    {
        if (value >= long.MinValue && value <= long.MaxValue)
        {
            return (long)value;
        }

        return value.GetBitLength() <= MaxBits
            ? value
            : throw new EvaluationError($"an integer of more than {MaxBits} bits");
    }

    public static bool TryInteger(object? value, out BigInteger number)
    {
        switch (value)
        {
            case long small:
                number = small;
                return true;
            case BigInteger big:
                number = big;
                return true;
            case bool flag:
                number = flag ? 1 : 0;
                return true;
            default:
                number = 0;
                return false;
        }
    }

    public static double ToDouble(object value)
    {
        if (value is double number)
        {
            return number;
        }

        TryInteger(value, out BigInteger integer);
        double result = (double)integer;
        return double.IsFinite(result) ? result : throw new EvaluationError("int too large to convert to float");
    }

    public static object Unary(bool negate, object? value)
    {
        if (value is Undefined undefined)
        {
            throw undefined.Error();
        }

        if (value is double number)
        {
            return negate ? -number : number;
        }

        if (!TryInteger(value, out BigInteger integer))
        {
            throw new EvaluationError($"bad operand type for unary {(negate ? '-' : '+')}: '{TypeName.Of(value)}'");
        }

        return Normalize(negate ? -integer : integer);
    }

    /// <summary>Negative, zero or positive; null where a NaN has no order.</summary>
    public static int? Compare(object left, object right)
    {
        if (left is long a && right is long b)
        {
            return a.CompareTo(b);
        }

        if (left is not double && right is not double)
        {
            TryInteger(left, out BigInteger x);
            TryInteger(right, out BigInteger y);
            return x.CompareTo(y);
        }

        (double l, double r) = (Approximate(left), Approximate(right));
        return double.IsNaN(l) || double.IsNaN(r) ? null : l.CompareTo(r);
    }

    public static object Apply(string symbol, object left, object right)
    {
        if (left is double || right is double || symbol == "/")
        {
            return ApplyFloat(symbol, ToDouble(left), ToDouble(right));
        }

        if (left is long a && right is long b && symbol is "+" or "-")
        {
            long sum = symbol == "+" ? unchecked(a + b) : unchecked(a - b);
            bool overflows = symbol == "+" ? ((a ^ sum) & (b ^ sum)) < 0 : ((a ^ b) & (a ^ sum)) < 0;
            if (!overflows)
            {
                return sum;
            }
        }

        TryInteger(left, out BigInteger x);
        TryInteger(right, out BigInteger y);
        return symbol switch
        {
            "+" => Normalize(x + y),
            "-" => Normalize(x - y),
            "*" => Normalize(x * y),
            "//" => Normalize(FloorDivide(x, y)),
            "%" => Normalize(x - (FloorDivide(x, y) * y)),
            _ => Power(x, y),
        };
    }

    private static double Approximate(object value)
    {
        if (value is double number)
        {
            return number;
        }

        TryInteger(value, out BigInteger integer);
        return (double)integer;
    }

    private static BigInteger FloorDivide(BigInteger x, BigInteger y)
    {
        if (y.IsZero)
        {
            throw new EvaluationError("integer division or modulo by zero");
        }

        BigInteger quotient = BigInteger.DivRem(x, y, out BigInteger remainder);
        return !remainder.IsZero && (remainder.Sign < 0) != (y.Sign < 0) ? quotient - 1 : quotient;
    }

    private static object Power(BigInteger x, BigInteger y)
    {
        if (y < 0)
        {
            return x.IsZero
                ? throw new EvaluationError("0.0 cannot be raised to a negative power")
                : Math.Pow(ToDouble(Normalize(x)), ToDouble(Normalize(y)));
        }

        if (BigInteger.Abs(x) > 1 && (y > MaxBits || x.GetBitLength() * (long)y > 2L * MaxBits))
        {
            throw new EvaluationError($"an integer of more than {MaxBits} bits");
        }

        return Normalize(BigInteger.Abs(x) > 1 ? BigInteger.Pow(x, (int)y) : y.IsZero ? 1 : y.IsEven ? x * x : x);
    }

    private static double ApplyFloat(string symbol, double x, double y)
    {
        if (symbol is "/" or "//" or "%" && y == 0)
        {
            throw new EvaluationError(symbol == "/" ? "division by zero" : "float floor division or modulo by zero");
        }

        switch (symbol)
        {
            case "+":
                return x + y;
            case "-":
                return x - y;
            case "*":
                return x * y;
            case "/":
                return x / y;
            case "**":
                double power = Math.Pow(x, y);
                return double.IsFinite(x) && double.IsFinite(y) && !double.IsFinite(power)
                    ? throw new EvaluationError("the power has no real, finite value")
                    : power;
            default:
                double remainder = x % y;
                if (remainder != 0 && (remainder < 0) != (y < 0))
                {
                    remainder += y;
                }

                if (remainder == 0)
                {
                    remainder = Math.CopySign(0, y);
                }

                return symbol == "%" ? remainder : Math.Round((x - remainder) / y);
        }
    }
}
