using System.Numerics;
using LoraServe.Templates.Runtime;
using LoraServe.Templates.Text;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Python;

/// <summary>Python's slices.</summary>
internal static class Slicing
{
    public static object? Slice(RenderState state, object? target, object? start, object? stop, object? step)
    {
        switch (target)
        {
            case SequenceValue sequence:
                return sequence.With(state.Counted(Pick(sequence.Items, start, stop, step)));
            case string text:
                return state.Text(SliceText(state, text, start, stop, step));
            case Markup markup:
                return new Markup(state.Text(SliceText(state, markup.Text, start, stop, step)));
            case RangeValue range:
                return new ListValue(state.Counted(Pick(range.Items.ToList(), start, stop, step)));
            case Undefined undefined:
                throw undefined.Error();
            default:
                return new Undefined($"{TypeName.OfObject(target)} has no element slice");
        }
    }

    private static string SliceText(RenderState state, string text, object? startValue, object? stopValue, object? stepValue)
    {
        state.Charge(text.Length / 8);
        (int start, int stop, long stride) = Resolve(PythonText.Length(text), startValue, stopValue, stepValue);
        if (stride == 1 && !PythonText.HasSurrogates(text))
        {
            return start < stop ? text[start..stop] : "";
        }

        return string.Concat(Walk(PythonText.Characters(text).ToList(), start, stop, stride));
    }

    private static IEnumerable<object?> Pick(IReadOnlyList<object?> items, object? startValue, object? stopValue, object? stepValue)
    {
        (int start, int stop, long stride) = Resolve(items.Count, startValue, stopValue, stepValue);
        return Walk(items, start, stop, stride);
    }

    private static (int Start, int Stop, long Stride) Resolve(int count, object? startValue, object? stopValue, object? stepValue)
    {
        BigInteger step = Bound(stepValue) ?? 1;
        if (step == 0)
        {
            throw new EvaluationError("slice step cannot be zero");
        }

        int low = step > 0 ? 0 : -1;
        int high = step > 0 ? count : count - 1;
        int start = Clamp(Bound(startValue), count, low, high) ?? (step > 0 ? low : high);
        int stop = Clamp(Bound(stopValue), count, low, high) ?? (step > 0 ? high : low);
        return (start, stop, (long)BigInteger.Max(BigInteger.Min(step, int.MaxValue), -int.MaxValue));
    }

    private static IEnumerable<T> Walk<T>(IReadOnlyList<T> items, long start, long stop, long stride)
    {
        for (long i = start; stride > 0 ? i < stop : i > stop; i += stride)
        {
            yield return items[(int)i];
        }
    }

    private static BigInteger? Bound(object? value) =>
        value is null ? null
        : Numbers.TryInteger(value, out BigInteger number) ? number
        : throw new EvaluationError("slice indices must be integers or None or have an __index__ method");

    private static int? Clamp(BigInteger? index, int count, int low, int high)
    {
        if (index is not { } i)
        {
            return null;
        }

        BigInteger counted = i < 0 ? i + count : i;
        return (int)BigInteger.Max(low, BigInteger.Min(counted, high));
    }
}
