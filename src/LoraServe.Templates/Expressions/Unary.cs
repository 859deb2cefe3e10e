using LoraServe.Templates.Runtime;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Expressions;

internal sealed record Unary(bool Negate, Expression Operand, int Line) : Expression(Line)
{
    public override object? Evaluate(RenderState state) => Numbers.Unary(Negate, state.Evaluate(Operand));
}
