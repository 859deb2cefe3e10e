using LoraServe.Templates.Runtime;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Statements;

internal sealed record TupleTarget(IReadOnlyList<Target> Items, int Line) : Target(Line)
{
    public override void Assign(RenderState state, object? value)
    {
        List<object?> values = state.Iterate(value).Take(Items.Count + 1).ToList();
        if (values.Count != Items.Count)
        {
            throw new EvaluationError(values.Count > Items.Count
                ? $"too many values to unpack (expected {Items.Count})"
                : $"not enough values to unpack (expected {Items.Count}, got {values.Count})");
        }

        for (int i = 0; i < values.Count; i++)
        {
            Items[i].Assign(state, values[i]);
        }
    }
}
