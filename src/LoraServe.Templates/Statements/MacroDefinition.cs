using LoraServe.Templates.Runtime;

namespace LoraServe.Templates.Statements;

internal sealed record MacroDefinition(MacroSyntax Macro, int Line) : Statement(Line)
{
    public override Completion Execute(RenderState state)
    {
        state.Scope.Set(Macro.Name, new MacroValue(Macro, state.Scope));
        return Completion.Normal;
    }
}
