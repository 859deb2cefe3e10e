using LoraServe.Templates.Python;
using LoraServe.Templates.Runtime;

namespace LoraServe.Templates.Expressions;

/// <summary><c>target[key]</c>: items first, then attributes.</summary>
internal sealed record ItemAccess(Expression Target, Expression Key, int Line) : Expression(Line)
{
    public override object? Evaluate(RenderState state)
    {
        object? target = state.Evaluate(Target);
        return Access.Item(target, state.Evaluate(Key));
    }
}
