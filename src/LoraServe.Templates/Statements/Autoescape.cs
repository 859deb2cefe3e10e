using LoraServe.Templates.Runtime;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Statements;

/// <summary><c>{% autoescape false %}…{% endautoescape %}</c>; prompts are not HTML, so it cannot be turned on.</summary>
internal sealed record Autoescape(Expression Enabled, IReadOnlyList<Statement> Body, int Line) : Statement(Line)
{
    public override Completion Execute(RenderState state) => Truth.Of(state.Evaluate(Enabled))
        ? throw new EvaluationError("autoescape is not supported: a prompt is not HTML")
        : state.Execute(Body);
}
