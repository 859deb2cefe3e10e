namespace LoraServe.Templates.Values;

/// <summary>What groupby yields: a pair whose halves have names.</summary>
internal sealed class GroupValue(object? grouper, ListValue list) : TupleValue([grouper, list]), IAttributes
{
    public override string TypeName => "_GroupTuple";

    public bool TryGetAttribute(string name, out object? value)
    {
        value = name == "grouper" ? Items[0] : name == "list" ? Items[1] : null;
        return name is "grouper" or "list";
    }
}
