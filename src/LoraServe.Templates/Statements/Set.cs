using LoraServe.Templates.Runtime;

namespace LoraServe.Templates.Statements;

internal sealed record Set(Target Target, Expression Value, int Line) : Statement(Line)
{
    public override Completion Execute(RenderState state)
    {
        Target.Assign(state, state.Evaluate(Value));
        return Completion.Normal;
    }
}
