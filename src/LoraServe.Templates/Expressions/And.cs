using LoraServe.Templates.Runtime;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Expressions;

internal sealed record And(Expression Left, Expression Right, int Line) : Expression(Line)
{
    public override object? Evaluate(RenderState state)
    {
        object? left = state.Evaluate(Left);
        return Truth.Of(left) ? state.Evaluate(Right) : left;
    }
}
