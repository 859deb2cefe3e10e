using LoraServe.Templates.Text;

namespace LoraServe.Templates.Values;

/// <summary>Python's order: of numbers, of texts by code point, of sequences by the first items that differ.</summary>
internal static class ValueOrder
{
    /// <summary>Negative, zero or positive, or <see cref="int.MaxValue"/> where a NaN has no order.</summary>
    public static int Compare(object? left, object? right, string symbol)
    {
        if (Numbers.IsNumber(left) && Numbers.IsNumber(right))
        {
            return Numbers.Compare(left!, right!) ?? int.MaxValue;
        }

        if ((left as Undefined ?? right as Undefined) is { } undefined)
        {
            throw undefined.Error();
        }

        if (Markup.TextOf(left) is { } text && Markup.TextOf(right) is { } other)
        {
            return PythonText.Compare(text, other);
        }

        if (left is SequenceValue a && right is SequenceValue b && a is ListValue == b is ListValue)
        {
            for (int i = 0; i < Math.Min(a.Items.Count, b.Items.Count); i++)
            {
                if (!ValueEquality.AreEqual(a.Items[i], b.Items[i]))
                {
                    return Compare(a.Items[i], b.Items[i], symbol);
                }
            }

            return a.Items.Count.CompareTo(b.Items.Count);
        }

        throw new EvaluationError(
            $"'{symbol}' not supported between instances of '{TypeName.Of(left)}' and '{TypeName.Of(right)}'");
    }
}
