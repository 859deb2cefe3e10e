using System.Globalization;
using System.Numerics;
using System.Text;
using LoraServe.Templates.Runtime;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Python;

/// <summary>Python's <c>"%s and %d" % values</c>.</summary>
internal static class PercentFormat
{
    public static string Format(RenderState state, string format, object? values)
    {
        IReadOnlyList<object?> items = values is TupleValue tuple ? tuple.Items : [values];
        StringBuilder result = new(format.Length);
        int next = 0;
        for (int i = 0; i < format.Length; i++)
        {
            if (format[i] != '%')
            {
                result.Append(format[i]);
                continue;
            }

            i++;
            object? named = null;
            bool isNamed = i < format.Length && format[i] == '(';
            if (isNamed)
            {
                int close = format.IndexOf(')', i);
                DictValue dict = values as DictValue ?? throw new EvaluationError("format requires a mapping");
                string key = close < 0 ? throw new EvaluationError("incomplete format key") : format[(i + 1)..close];
                named = dict.TryGet(key, out object? found) ? found : throw new EvaluationError($"format has no key '{key}'");
                i = close + 1;
            }

            FormatSpec spec = ParseSpec(format, ref i, () => Next(items, ref next));
            result.Append(spec.Type == '%' ? "%" : FormatOne(state, spec, isNamed ? named : Next(items, ref next)));
            state.CheckLength(result.Length);
        }

        return next < items.Count && values is not DictValue
            ? throw new EvaluationError("not all arguments converted during string formatting")
            : result.ToString();
    }

    private static object? Next(IReadOnlyList<object?> items, ref int next) => next < items.Count
        ? items[next++]
        : throw new EvaluationError("not enough arguments for format string");

    private static FormatSpec ParseSpec(string format, ref int i, Func<object?> nextValue)
    {
        FormatSpec spec = new() { Align = '>' };
        for (; i < format.Length && format[i] is '-' or '+' or ' ' or '#' or '0'; i++)
        {
            spec = format[i] switch
            {
                '-' => spec with { Align = '<', Fill = " " },
                '0' when spec.Align != '<' => spec with { Align = '=', Fill = "0" },
                '#' => spec with { Alternate = true },
                '+' => spec with { Sign = '+' },
                ' ' when spec.Sign != '+' => spec with { Sign = ' ' },
                _ => spec,
            };
        }

        spec = spec with { Width = Number(format, ref i, nextValue) };
        if (i < format.Length && format[i] == '.')
        {
            i++;
            spec = spec with { Precision = Number(format, ref i, nextValue) };
        }

        while (i < format.Length && format[i] is 'l' or 'h' or 'L')
        {
            i++;
        }

        return i < format.Length ? spec with { Type = format[i] } : throw new EvaluationError("incomplete format");
    }

    private static int Number(string format, ref int i, Func<object?> nextValue)
    {
        if (i < format.Length && format[i] == '*')
        {
            i++;
            return Numbers.TryInteger(nextValue(), out BigInteger given) && given >= 0 && given <= int.MaxValue
                ? (int)given
                : throw new EvaluationError("* wants int");
        }

        int start = i;
        while (i < format.Length && char.IsAsciiDigit(format[i]))
        {
            i++;
        }

        return i == start ? 0
            : int.TryParse(format.AsSpan(start, i - start), NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value
            : throw new EvaluationError("width too big");
    }

    private static string FormatOne(RenderState state, FormatSpec spec, object? value)
    {
        switch (spec.Type)
        {
            case 's':
            case 'r' or 'a':
                string text = spec.Type == 's' || value is Undefined ? state.ToText(value) : Printer.Repr(state, value);
                return TextSpec(spec).Format(state, text);
            case 'c' when value is string character:
                return TextSpec(spec).Format(state, character);
            case 'd' or 'i' or 'u' or 'x' or 'X' or 'o':
                if (value is double number && spec.Type is 'd' or 'i' or 'u' && double.IsFinite((double)value))
                {
                    value = Numbers.Normalize(new BigInteger(number));
                }

                return Numbers.TryInteger(value, out _)
                    ? (spec with { Type = spec.Type is 'i' or 'u' ? 'd' : spec.Type, Precision = null }).Format(state, Whole(value))
                    : throw Expected(spec.Type, "a real number is required", value);
            case 'e' or 'E' or 'f' or 'F' or 'g' or 'G':
                return Numbers.IsNumber(value) ? spec.Format(state, value) : throw Expected(spec.Type, "must be real number", value);
            case 'c' when Numbers.TryInteger(value, out _):
                return spec.Format(state, Whole(value));
            default:
                throw new EvaluationError($"unsupported format character '{spec.Type}'");
        }
    }

    private static FormatSpec TextSpec(FormatSpec spec) => spec with { Type = 's', Fill = " ", Align = spec.Align == '<' ? '<' : '>' };

    private static object Whole(object? value)
    {
        Numbers.TryInteger(value, out BigInteger integer);
        return Numbers.Normalize(integer);
    }

    private static EvaluationError Expected(char type, string what, object? value) =>
        new($"%{type} format: {what}, not {TypeName.Of(value)}");
}
