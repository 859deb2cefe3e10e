using System.Numerics;
using LoraServe.Templates.Runtime;
using LoraServe.Templates.Text;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Python;

/// <summary>The operators, comparisons and membership, as Python has them; what they make is charged to the rendering.</summary>
internal static class Operators
{
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
        "<" => ValueOrder.Compare(left, right, symbol) < 0,
        "<=" => ValueOrder.Compare(left, right, symbol) is <= 0,
        ">" => ValueOrder.Compare(left, right, symbol) is > 0 and < int.MaxValue,
        _ => ValueOrder.Compare(left, right, symbol) is >= 0 and < int.MaxValue,
    };

    public static bool Contains(RenderState state, object? container, object? item)
    {
        switch (container)
        {
            case string or Markup:
                string part = Markup.TextOf(item) ?? throw new EvaluationError(
                    $"'in <string>' requires string as left operand, not {TypeName.Of(item)}");
                string text = Markup.TextOf(container)!;
                state.Charge(text.Length / 16);
                return text.Contains(part, StringComparison.Ordinal);
            case DictValue dict:
                return dict.TryGet(item, out _);
            case SequenceValue or RangeValue or Generator or DictView or Undefined:
                int weight = item is Container held ? held.Weight : 0;
                return state.Iterate(container).Any(other =>
                {
                    state.Charge(Math.Min(weight, other is Container o ? o.Weight : 0));
                    return ValueEquality.AreEqual(other, item);
                });
            default:
                throw new EvaluationError($"argument of type '{TypeName.Of(container)}' is not iterable");
        }
    }

    private static bool AreEqualCharged(RenderState state, object? left, object? right)
    {
        if (left is Container a && right is Container b)
        {
            state.Charge(Math.Min(a.Weight, b.Weight));
        }

        return ValueEquality.AreEqual(left, right);
    }

    private static object Add(RenderState state, object? left, object? right)
    {
        if ((left is Markup && Markup.TextOf(right) is not null) || (right is Markup && left is string))
        {
            return new Markup(state.Text(Escaped(left) + Escaped(right)));
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

    /// <summary>A string escaped; markup stays as it is.</summary>
    private static string Escaped(object? value) => value is Markup markup ? markup.Text : Html.Escape(Markup.TextOf(value) ?? "");

    private static object Repeat(RenderState state, string symbol, object? value, object? count, BigInteger times)
    {
        times = BigInteger.Max(0, times);
        if (Markup.TextOf(value) is { } text)
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
