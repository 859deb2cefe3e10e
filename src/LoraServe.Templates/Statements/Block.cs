using LoraServe.Templates.Runtime;

namespace LoraServe.Templates.Statements;

/// <summary><c>{% block name %}…{% endblock %}</c>: sees the template's own variables, not those of a loop around it.</summary>
internal sealed record Block(string Name, IReadOnlyList<Statement> Body, int Line) : Statement(Line)
{
    public override Completion Execute(RenderState state)
    {
        state.Write(Render(state));
        return Completion.Normal;
    }

    public string Render(RenderState state) => state.CaptureCall(new Scope(state.RootScope), Body);
}
