using LoraServe.Templates.Expressions;
using LoraServe.Templates.Runtime;

namespace LoraServe.Templates.Statements;

/// <summary><c>{% set x | filter %}…{% endset %}</c>.</summary>
internal sealed record SetBlock(Target Target, IReadOnlyList<FilterCall> Filters, IReadOnlyList<Statement> Body, int Line)
    : Statement(Line)
{
    public override Completion Execute(RenderState state)
    {
        object? value = state.Capture(new Scope(state.Scope), Body);
        foreach (FilterCall filter in Filters)
        {
            value = filter.Apply(state, value);
        }

        Target.Assign(state, value);
        return Completion.Normal;
    }
}
