using LoraServe.Templates.Runtime;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Expressions;

internal sealed record TupleLiteral(IReadOnlyList<Expression> Items, int Line) : Expression(Line)
{
    public override object? Evaluate(RenderState state) => new TupleValue(state.EvaluateAll(Items));
}
