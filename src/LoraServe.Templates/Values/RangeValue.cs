using System.Globalization;
using System.Numerics;

namespace LoraServe.Templates.Values;

/// <summary>Python's range.</summary>
internal sealed record RangeValue(long Start, long Stop, long Step) : IObject
{
    private const int MaxCount = 100_000;

    public int Count { get; } = CountOf(Start, Stop, Step);

    public string TypeName => "range";

    public string Repr => Step == 1
        ? string.Create(CultureInfo.InvariantCulture, $"range({Start}, {Stop})")
        : string.Create(CultureInfo.InvariantCulture, $"range({Start}, {Stop}, {Step})");

    public object this[int index] => Start + (index * Step);

    public IEnumerable<object?> Items
    {
        get
        {
            for (int i = 0; i < Count; i++)
            {
                yield return this[i];
            }
        }
    }

    private static int CountOf(long start, long stop, long step)
    {
        if (step == 0)
        {
            throw new EvaluationError("range() arg 3 must not be zero");
        }

        BigInteger distance = step > 0 ? (BigInteger)stop - start : (BigInteger)start - stop;
        BigInteger size = BigInteger.Abs(step);
        BigInteger count = distance <= 0 ? 0 : (distance + size - 1) / size;
        return count <= MaxCount
            ? (int)count
            : throw new EvaluationError($"Range too big. The sandbox blocks ranges larger than MAX_RANGE ({MaxCount}).");
    }
}
