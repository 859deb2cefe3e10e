namespace LoraServe.Templates.Values;

/// <summary>A sequence that can be walked once, as filters like map and select yield it.</summary>
internal sealed class Generator(IEnumerable<object?> items, string typeName = "generator") : IObject
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
