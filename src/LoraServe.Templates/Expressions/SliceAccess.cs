using LoraServe.Templates.Python;
using LoraServe.Templates.Runtime;

namespace LoraServe.Templates.Expressions;

/// <summary><c>target[start:stop:step]</c>.</summary>
internal sealed record SliceAccess(Expression Target, Expression? Start, Expression? Stop, Expression? Step, int Line)
    : Expression(Line)
{
    public override object? Evaluate(RenderState state)
    {
        object? target = state.Evaluate(Target);
        object? start = Start is null ? null : state.Evaluate(Start);
        object? stop = Stop is null ? null : state.Evaluate(Stop);
        object? step = Step is null ? null : state.Evaluate(Step);
        return Slicing.Slice(state, target, start, stop, step);
    }
}
