namespace LoraServe.Templates.Values;

internal class TupleValue(IReadOnlyList<object?> items) : SequenceValue(items)
{
    public override string TypeName => "tuple";

    public override SequenceValue With(IReadOnlyList<object?> items) => new TupleValue(items);
}
