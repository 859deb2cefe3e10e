using LoraServe.Templates.Runtime;

namespace LoraServe.Templates.Statements;

internal sealed record NameTarget(string Identifier, int Line) : Target(Line)
{
    public override void Assign(RenderState state, object? value) => state.Scope.Set(Identifier, value);
}
