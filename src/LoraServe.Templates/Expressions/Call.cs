using LoraServe.Templates.Runtime;

namespace LoraServe.Templates.Expressions;

internal sealed record Call(Expression Target, ArgumentList Arguments, int Line) : Expression(Line)
{
    public override object? Evaluate(RenderState state)
    {
        object? target = state.Evaluate(Target);
        CallArguments arguments = Arguments.Evaluate(state);
        return state.Call(target, arguments);
    }
}
