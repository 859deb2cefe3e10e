using LoraServe.Templates.Runtime;

namespace LoraServe.Templates.Statements;

internal sealed record Print(Expression Value, int Line) : Statement(Line)
{
    public override Completion Execute(RenderState state)
    {
        state.Write(state.ToText(state.Evaluate(Value)));
        return Completion.Normal;
    }
}
