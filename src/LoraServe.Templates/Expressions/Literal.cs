using LoraServe.Templates.Runtime;

namespace LoraServe.Templates.Expressions;

internal sealed record Literal(object? Value, int Line) : Expression(Line)
{
    public override object? Evaluate(RenderState state) => Value;
}
