using LoraServe.Templates.Runtime;

namespace LoraServe.Templates.Statements;

/// <summary><c>{% with a = 1 %}…{% endwith %}</c>: a scope of its own.</summary>
internal sealed record With(IReadOnlyList<(Target Target, Expression Value)> Assignments, IReadOnlyList<Statement> Body, int Line)
    : Statement(Line)
{
    public override Completion Execute(RenderState state)
    {
        Scope outer = state.Scope;
        object?[] values = state.EvaluateAll(Assignments.Select(assignment => assignment.Value).ToList());
        state.Scope = new Scope(outer);
        for (int i = 0; i < values.Length; i++)
        {
            Assignments[i].Target.Assign(state, values[i]);
        }

        Completion completion = state.Execute(Body);
        state.Scope = outer;
        return completion;
    }
}
