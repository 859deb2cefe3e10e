using System.Numerics;

namespace LoraServe.Tokenization.Templates;

/// <summary>Python's equality and hashes: <c>1 == 1.0 == True</c>, containers by content.</summary>
internal sealed class ValueEquality : IEqualityComparer<object>
{
    public static readonly ValueEquality Instance = new();

    public new bool Equals(object? x, object? y) => Operators.AreEqual(x, y);

    public int GetHashCode(object value)
    {
        switch (value)
        {
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
                    hash.Add(item is null ? 0 : GetHashCode(item));
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
}
