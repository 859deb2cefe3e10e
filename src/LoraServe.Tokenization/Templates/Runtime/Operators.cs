using System.Numerics;

namespace LoraServe.Tokenization.Templates;

/// <summary>Truth, equality, order, membership and the operators, as Python has them.</summary>
internal static class Operators
{
    public static bool IsTrue(object? value) => value switch
    {
        null or Undefined => false,
        bool flag => flag,
        long number => number != 0,
        BigInteger number => !number.IsZero,
        double number => number != 0,
        string text => text.Length > 0,
        Markup markup => markup.Text.Length > 0,
        SequenceValue sequence => sequence.Items.Count > 0,
        DictValue dict => dict.Count > 0,
        DictView view => view.Count > 0,
        RangeValue range => range.Count > 0,
        _ => true,
    };

    public static object? Apply(RenderState state, string symbol, object? left, object? right)
    {
        // "%s" % undefined prints nothing; every other operator refuses it.
        bool formats = symbol == "%" && left is string or Markup;
        if ((left as Undefined ?? (formats ? null : right as Undefined)) is { } undefined)
        {
            throw undefined.Error();
        }

        if (Numbers.IsNumber(left) && Numbers.IsNumber(right))
        {
            return Numbers.Apply(symbol, left!, right!);
        }

        return symbol switch
        {
            "+" => Add(state, left, right),
            "*" when Numbers.TryInteger(right, out BigInteger times) => Repeat(state, symbol, left, right, times),
            "*" when Numbers.TryInteger(left, out BigInteger times) => Repeat(state, symbol, right, left, times),
            "%" when left is string format => state.Text(PercentFormat.Format(state, format, right)),
            "%" when left is Markup format => new Markup(state.Text(PercentFormat.Format(state, format.Text, right))),
            _ => throw Unsupported(symbol, left, right),
        };
    }

    public static bool Compare(RenderState state, string symbol, object? left, object? right) => symbol switch
    {
        "==" => AreEqualCharged(state, left, right),
        "!=" => !AreEqualCharged(state, left, right),
        "in" => Contains(state, right, left),
        "not in" => !Contains(state, right, left),
        "<" => Order(left, right, symbol) < 0,
        "<=" => Order(left, right, symbol) is <= 0,
        ">" => Order(left, right, symbol) is > 0 and < int.MaxValue,
        _ => Order(left, right, symbol) is >= 0 and < int.MaxValue,
    };

    public static bool AreEqual(object? left, object? right)
    {
        if (ReferenceEquals(left, right))
        {
            return left is not double.NaN;
        }

        if (Numbers.IsNumber(left) && Numbers.IsNumber(right))
        {
            return Numbers.Compare(left!, right!) == 0;
        }

        return (left, right) switch
        {
            (string or Markup, string or Markup) => TextOf(left) == TextOf(right),
            (ListValue a, ListValue b) => SequenceEqual(a, b),
            (TupleValue a, TupleValue b) => SequenceEqual(a, b),
            (DictValue a, DictValue b) => a.Count == b.Count
                && a.Items.All(item => b.TryGet(item.Key, out object? other) && AreEqual(item.Value, other)),
            (Undefined, Undefined) => true,
            (RangeValue a, RangeValue b) => a.Items.SequenceEqual(b.Items),
            _ => false,
        };
    }

    /// <summary>Negative, zero or positive, or <see cref="int.MaxValue"/> where a NaN has no order.</summary>
    public static int Order(object? left, object? right, string symbol)
    {
        if (Numbers.IsNumber(left) && Numbers.IsNumber(right))
        {
            return Numbers.Compare(left!, right!) ?? int.MaxValue;
        }

        if ((left as Undefined ?? right as Undefined) is { } undefined)
        {
            throw undefined.Error();
        }

        if (TextOf(left) is { } text && TextOf(right) is { } other)
        {
            return PythonText.Compare(text, other);
        }

        if (left is SequenceValue a && right is SequenceValue b && a is ListValue == b is ListValue)
        {
            for (int i = 0; i < Math.Min(a.Items.Count, b.Items.Count); i++)
            {
                if (!AreEqual(a.Items[i], b.Items[i]))
                {
                    return Order(a.Items[i], b.Items[i], symbol);
                }
            }

            return a.Items.Count.CompareTo(b.Items.Count);
        }

        throw new EvaluationError(
            $"'{symbol}' not supported between instances of '{TypeName.Of(left)}' and '{TypeName.Of(right)}'");
    }

    public static bool Contains(RenderState state, object? container, object? item)
    {
        switch (container)
        {
            case string or Markup:
                string part = TextOf(item) ?? throw new EvaluationError(
                    $"'in <string>' requires string as left operand, not {TypeName.Of(item)}");
                string text = TextOf(container)!;
                state.Charge(text.Length / 16);
                return text.Contains(part, StringComparison.Ordinal);
            case DictValue dict:
                return dict.TryGet(item, out _);
            case SequenceValue or RangeValue or Generator or DictView or Undefined:
                int weight = item is Container held ? held.Weight : 0;
                return state.Iterate(container).Any(other =>
                {
                    state.Charge(Math.Min(weight, other is Container o ? o.Weight : 0));
                    return AreEqual(other, item);
                });
            default:
                throw new EvaluationError($"argument of type '{TypeName.Of(container)}' is not iterable");
        }
    }

    public static string? TextOf(object? value) => value as string ?? (value as Markup)?.Text;

    private static bool AreEqualCharged(RenderState state, object? left, object? right)
    {
        if (left is Container a && right is Container b)
        {
            state.Charge(Math.Min(a.Weight, b.Weight));
        }

        return AreEqual(left, right);
    }

    private static bool SequenceEqual(SequenceValue left, SequenceValue right)
    {
        if (left.Items.Count != right.Items.Count)
        {
            return false;
        }

        for (int i = 0; i < left.Items.Count; i++)
        {
            if (!AreEqual(left.Items[i], right.Items[i]))
            {
                return false;
            }
        }

        return true;
    }

    private static object Add(RenderState state, object? left, object? right)
    {
        if ((left is Markup && TextOf(right) is not null) || (right is Markup && left is string))
        {
            return new Markup(state.Text(Html.Escape(left) + Html.Escape(right)));
        }

        if (left is string a && right is string b)
        {
            state.CheckLength((long)a.Length + b.Length);
            return state.Text(a + b);
        }

        if (left is SequenceValue head && right is SequenceValue tail && head is ListValue == tail is ListValue)
        {
            return head.With(state.Counted(head.Items.Concat(tail.Items)));
        }

        throw left switch
        {
            string => new EvaluationError($"can only concatenate str (not \"{TypeName.Of(right)}\") to str"),
            ListValue => new EvaluationError($"can only concatenate list (not \"{TypeName.Of(right)}\") to list"),
            TupleValue => new EvaluationError($"can only concatenate tuple (not \"{TypeName.Of(right)}\") to tuple"),
            _ => Unsupported("+", left, right),
        };
    }

    private static object Repeat(RenderState state, string symbol, object? value, object? count, BigInteger times)
    {
        times = BigInteger.Max(0, times);
        if (TextOf(value) is { } text)
        {
            state.CheckLength((long)BigInteger.Min(times * text.Length, int.MaxValue));
            string repeated = text.Length == 0 ? "" : state.Text(string.Concat(Enumerable.Repeat(text, (int)times)));
            return value is Markup ? new Markup(repeated) : repeated;
        }

        if (value is SequenceValue sequence)
        {
            BigInteger size = times * sequence.Items.Count;
            state.Charge((long)BigInteger.Min(size, int.MaxValue));
            return sequence.With(size.IsZero ? [] : state.Counted(Enumerable.Repeat(sequence.Items, (int)times).SelectMany(items => items)));
        }

        throw Unsupported(symbol, value, count);
    }

    private static EvaluationError Unsupported(string symbol, object? left, object? right) =>
        new($"unsupported operand type(s) for {symbol}: '{TypeName.Of(left)}' and '{TypeName.Of(right)}'");
}
