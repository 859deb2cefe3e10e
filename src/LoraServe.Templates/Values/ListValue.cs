namespace LoraServe.Templates.Values;

internal sealed class ListValue(IReadOnlyList<object?> items) : SequenceValue(items)
{
    public override string TypeName => "list";

    public override SequenceValue With(IReadOnlyList<object?> items) => new ListValue(items);
}
