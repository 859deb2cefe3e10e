using System.Numerics;

namespace LoraServe.Tokenization.Templates;

/// <summary>A value with attributes of its own.</summary>
internal interface IAttributes
{
    bool TryGetAttribute(string name, out object? value);
}

/// <summary>A value that can be called.</summary>
internal interface ICallable
{
    object? Invoke(RenderState state, CallArguments arguments);
}

/// <summary>A name, attribute or item that is not there: prints as nothing, and using it says why.</summary>
internal sealed class Undefined(string reason)
{
    public EvaluationError Error() => new(reason);
}

/// <summary>A string that escaping leaves alone.</summary>
internal sealed record Markup(string Text);

/// <summary>Python's range.</summary>
internal sealed record RangeValue(long Start, long Stop, long Step)
{
    private const int MaxCount = 100_000;

    public int Count { get; } = CountOf(Start, Stop, Step);

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

/// <summary>A sequence that can be walked once, as filters like map and select yield it.</summary>
internal sealed class Generator(IEnumerable<object?> items, string typeName = "generator")
{
    private readonly IEnumerator<object?> _items = items.GetEnumerator();

    public string TypeName { get; } = typeName;

    public IEnumerable<object?> Items
    {
        get
        {
            while (_items.MoveNext())
            {
                yield return _items.Current;
            }
        }
    }
}

/// <summary>What <c>keys()</c>, <c>values()</c> and <c>items()</c> give.</summary>
internal sealed class DictView(string typeName, DictValue dict, Func<DictValue, IEnumerable<object?>> select)
{
    public string TypeName { get; } = typeName;

    public int Count => dict.Count;

    public IEnumerable<object?> Items => select(dict);
}

/// <summary>What <c>namespace()</c> makes: the one value whose attributes can be set.</summary>
internal sealed class NamespaceValue : IAttributes
{
    private readonly Dictionary<string, object?> _attributes = [];

    public void Set(string name, object? value)
    {
        if (name.StartsWith('_'))
        {
            throw new EvaluationError(
                $"Chat templates cannot store underscore-prefixed attributes on a namespace, but got '{name}'. Please rename the attribute.");
        }

        _attributes[name] = value;
    }

    public bool TryGetAttribute(string name, out object? value) => _attributes.TryGetValue(name, out value);
}
