using LoraServe.Templates.Library;
using LoraServe.Templates.Runtime;

namespace LoraServe.Templates.Expressions;

/// <summary><c>subject is test(arguments)</c>.</summary>
internal sealed record TestCall(Expression Subject, string Test, ArgumentList Arguments, int Line) : Expression(Line)
{
    public override object? Evaluate(RenderState state) =>
        Tests.Get(Test).Invoke(state, Arguments.Evaluate(state, hasSubject: true, state.Evaluate(Subject)));
}
