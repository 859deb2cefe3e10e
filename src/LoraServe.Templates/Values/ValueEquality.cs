using System.Numerics;

namespace LoraServe.Templates.Values;

/// <summary>Python's equality and hashes: <c>1 == 1.0 == True</c>, containers by content.</summary>
internal sealed class ValueEquality : IEqualityComparer<object?>
{
    public static readonly ValueEquality Instance = new();

    public new bool Equals(object? x, object? y) => AreEqual(x, y);

    public int GetHashCode(object? value)
    {
        switch (value)
        {
            case null:
                return 0;
            case string text:
                return text.GetHashCode(StringComparison.Ordinal);
            case Markup markup:
                return markup.Text.GetHashCode(StringComparison.Ordinal);
            case bool flag:
                return flag ? 1L.GetHashCode() : 0L.GetHashCode();
            case double number when Math.Floor(number) == number && Math.Abs(number) < 1e300:
                return Numbers.Normalize(new BigInteger(number)).GetHashCode();
            case TupleValue tuple:
                HashCode hash = default;
                foreach (object? item in tuple.Items)
                {
                    hash.Add(GetHashCode(item));
                }

                return hash.ToHashCode();
            case ListValue or DictValue:
                throw new EvaluationError($"unhashable type: '{TypeName.Of(value)}'");
            default:
                return value.GetHashCode();
        }
    }

    public static bool IsHashable(object? value) => value switch
    {
        ListValue or DictValue => false,
        TupleValue tuple => tuple.Items.All(IsHashable),
        _ => true,
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
            (string or Markup, string or Markup) => Markup.TextOf(left) == Markup.TextOf(right),
            (ListValue a, ListValue b) => SequenceEqual(a, b),
            (TupleValue a, TupleValue b) => SequenceEqual(a, b),
            (DictValue a, DictValue b) => a.Count == b.Count
                && a.Items.All(item => b.TryGet(item.Key, out object? other) && AreEqual(item.Value, other)),
            (Undefined, Undefined) => true,
            (RangeValue a, RangeValue b) => a.Items.SequenceEqual(b.Items),
            _ => false,
        };
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
}
