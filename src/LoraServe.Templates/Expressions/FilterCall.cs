using LoraServe.Templates.Library;
using LoraServe.Templates.Runtime;

namespace LoraServe.Templates.Expressions;

/// <summary><c>subject | filter(arguments)</c>.</summary>
internal sealed record FilterCall(Expression? Subject, string Filter, ArgumentList Arguments, int Line) : Expression(Line)
{
    public override object? Evaluate(RenderState state) => Apply(state, state.Evaluate(Subject!));

    public object? Apply(RenderState state, object? subject) =>
        Filters.Get(Filter).Invoke(state, Arguments.Evaluate(state, hasSubject: true, subject));
}
