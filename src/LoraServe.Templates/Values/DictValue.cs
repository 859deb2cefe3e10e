namespace LoraServe.Templates.Values;

/// <summary>A dictionary in order of insertion; complete before the template sees it, never changed after.</summary>
internal sealed class DictValue : Container
{
    private static readonly object s_noneKey = new();
    private readonly OrderedDictionary<object, object?> _items = new(ValueEquality.Instance);

    public override string TypeName => "dict";

    public int Count => _items.Count;

    public IEnumerable<object?> Keys => _items.Keys.Select(FromKey);

    public IEnumerable<object?> Values => _items.Values;

    public IEnumerable<KeyValuePair<object?, object?>> Items => _items.Select(item => KeyValuePair.Create(FromKey(item.Key), item.Value));

    public void Set(object? key, object? value)
    {
        Absorb(key);
        Absorb(value);
        _items[ToKey(key)] = value;
    }

    public bool TryGet(object? key, out object? value) => _items.TryGetValue(ToKey(key), out value);

    // A dictionary of .NET has no null keys.
    private static object ToKey(object? key) => key ?? s_noneKey;

    private static object? FromKey(object key) => ReferenceEquals(key, s_noneKey) ? null : key;
}
