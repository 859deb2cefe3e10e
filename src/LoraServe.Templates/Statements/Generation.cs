using LoraServe.Templates.Runtime;

namespace LoraServe.Templates.Statements;

/// <summary><c>{% generation %}…{% endgeneration %}</c>: a scope of its own, whose output is the model's.</summary>
internal sealed record Generation(IReadOnlyList<Statement> Body, int Line) : Statement(Line)
{
    public override Completion Execute(RenderState state)
    {
        Scope outer = state.Scope;
        state.Scope = new Scope(outer);
        int start = state.OutputLength;
        Completion completion = state.Execute(Body);
        state.MarkGenerated(start);
        state.Scope = outer;
        return completion;
    }
}
