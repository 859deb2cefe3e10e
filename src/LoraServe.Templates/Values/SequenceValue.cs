namespace LoraServe.Templates.Values;

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
