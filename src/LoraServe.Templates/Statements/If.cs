using LoraServe.Templates.Runtime;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Statements;

internal sealed record If(IReadOnlyList<(Expression Condition, IReadOnlyList<Statement> Body)> Branches,
    IReadOnlyList<Statement> Else, int Line) : Statement(Line)
{
    public override Completion Execute(RenderState state)
    {
        foreach ((Expression condition, IReadOnlyList<Statement> body) in Branches)
        {
            if (Truth.Of(state.Evaluate(condition)))
            {
                return state.Execute(body);
            }
        }

        return state.Execute(Else);
    }
}
