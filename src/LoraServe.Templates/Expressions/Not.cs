using LoraServe.Templates.Runtime;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Expressions;

internal sealed record Not(Expression Operand, int Line) : Expression(Line)
{
    public override object? Evaluate(RenderState state) => !Truth.Of(state.Evaluate(Operand));
}
