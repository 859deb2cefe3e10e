namespace LoraServe.Tokenization.Templates;

/// <summary>A list or tuple.</summary>
internal abstract class SequenceValue : Container
{
    protected SequenceValue(IReadOnlyList<object?> items)
    {
        Items = items;
        foreach (object? item in items)
        {
            Absorb(item);
        }
    }

    public IReadOnlyList<object?> Items { get; }

    /// <summary>A sequence of the same kind with other items.</summary>
    public abstract SequenceValue With(IReadOnlyList<object?> items);
}

internal sealed class ListValue(IReadOnlyList<object?> items) : SequenceValue(items)
{
    public override SequenceValue With(IReadOnlyList<object?> items) => new ListValue(items);
}

internal class TupleValue(IReadOnlyList<object?> items) : SequenceValue(items)
{
    public override SequenceValue With(IReadOnlyList<object?> items) => new TupleValue(items);
}

/// <summary>What groupby yields: a pair whose halves have names.</summary>
internal sealed class GroupValue(object? grouper, ListValue list) : TupleValue([grouper, list]), IAttributes
{
    public bool TryGetAttribute(string name, out object? value)
    {
        value = name == "grouper" ? Items[0] : name == "list" ? Items[1] : null;
        return name is "grouper" or "list";
    }
}
