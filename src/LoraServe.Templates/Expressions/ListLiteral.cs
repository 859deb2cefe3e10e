using LoraServe.Templates.Runtime;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Expressions;

internal sealed record ListLiteral(IReadOnlyList<Expression> Items, int Line) : Expression(Line)
{
    public override object? Evaluate(RenderState state) => new ListValue(state.EvaluateAll(Items));
}
