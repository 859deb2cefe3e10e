using LoraServe.Templates.Python;
using LoraServe.Templates.Runtime;

namespace LoraServe.Templates.Expressions;

/// <summary><c>target.name</c>: attributes first, then items.</summary>
internal sealed record AttributeAccess(Expression Target, string Attribute, int Line) : Expression(Line)
{
    public override object? Evaluate(RenderState state) => Access.Attribute(state.Evaluate(Target), Attribute);
}
