using LoraServe.Templates.Expressions;
using LoraServe.Templates.Runtime;

namespace LoraServe.Templates.Statements;

/// <summary><c>{% call(parameters) macro(arguments) %}…{% endcall %}</c>.</summary>
internal sealed record CallBlock(Call Call, MacroSyntax Caller, int Line) : Statement(Line)
{
    public override Completion Execute(RenderState state)
    {
        object? target = state.Evaluate(Call.Target);
        CallArguments arguments = Call.Arguments.Evaluate(state);
        arguments.Named.Add(new("caller", new MacroValue(Caller, state.Scope)));
        state.Write(state.ToText(state.Call(target, arguments)));
        return Completion.Normal;
    }
}
