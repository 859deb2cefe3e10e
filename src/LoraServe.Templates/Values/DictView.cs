namespace LoraServe.Templates.Values;

/// <summary>What <c>keys()</c>, <c>values()</c> and <c>items()</c> give.</summary>
internal sealed class DictView(string typeName, DictValue dict, Func<DictValue, IEnumerable<object?>> select) : IObject
{
    public string TypeName { get; } = typeName;

    public int Count => dict.Count;

    public IEnumerable<object?> Items => select(dict);
}
