using LoraServe.Templates.Runtime;

namespace LoraServe.Templates.Statements;

internal sealed record TextOutput(string Text, int Line) : Statement(Line)
{
    public override Completion Execute(RenderState state)
    {
        state.Write(Text);
        return Completion.Normal;
    }
}
