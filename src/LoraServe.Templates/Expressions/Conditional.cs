using LoraServe.Templates.Runtime;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Expressions;

internal sealed record Conditional(Expression Condition, Expression Then, Expression? Else, int Line) : Expression(Line)
{
    public override object? Evaluate(RenderState state) =>
        Truth.Of(state.Evaluate(Condition)) ? state.Evaluate(Then)
        : Else is not null ? state.Evaluate(Else)
        : new Undefined("the inline if-expression evaluated to false and no else section was defined.");
}
