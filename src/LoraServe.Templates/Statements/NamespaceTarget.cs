using LoraServe.Templates.Runtime;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Statements;

internal sealed record NamespaceTarget(string Identifier, string Attribute, int Line) : Target(Line)
{
    public override void Assign(RenderState state, object? value)
    {
        if (state.Lookup(Identifier) is not NamespaceValue space)
        {
            throw new EvaluationError("cannot assign attribute on non-namespace object");
        }

        space.Set(Attribute, value);
    }
}
