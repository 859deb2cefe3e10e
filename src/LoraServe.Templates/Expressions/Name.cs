using LoraServe.Templates.Runtime;

namespace LoraServe.Templates.Expressions;

internal sealed record Name(string Identifier, int Line) : Expression(Line)
{
    public override object? Evaluate(RenderState state) => state.Lookup(Identifier);
}
