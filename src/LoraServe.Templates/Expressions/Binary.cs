using LoraServe.Templates.Python;
using LoraServe.Templates.Runtime;

namespace LoraServe.Templates.Expressions;

internal sealed record Binary(string Symbol, Expression Left, Expression Right, int Line) : Expression(Line)
{
    public override object? Evaluate(RenderState state)
    {
        object? left = state.Evaluate(Left);
        return Operators.Apply(state, Symbol, left, state.Evaluate(Right));
    }
}
