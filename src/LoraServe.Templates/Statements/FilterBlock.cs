using LoraServe.Templates.Expressions;
using LoraServe.Templates.Runtime;

namespace LoraServe.Templates.Statements;

/// <summary><c>{% filter name %}…{% endfilter %}</c>.</summary>
internal sealed record FilterBlock(IReadOnlyList<FilterCall> Filters, IReadOnlyList<Statement> Body, int Line) : Statement(Line)
{
    public override Completion Execute(RenderState state)
    {
        object? value = state.Capture(new Scope(state.Scope), Body);
        foreach (FilterCall filter in Filters)
        {
            value = filter.Apply(state, value);
        }

        state.Write(state.ToText(value));
        return Completion.Normal;
    }
}
