using LoraServe.Templates.Runtime;

namespace LoraServe.Templates.Statements;

/// <summary><c>break</c> or <c>continue</c>.</summary>
internal sealed record LoopExit(Completion Completion, int Line) : Statement(Line)
{
    public override Completion Execute(RenderState state) => Completion;
}
