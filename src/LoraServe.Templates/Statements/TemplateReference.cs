using LoraServe.Templates.Runtime;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Statements;

/// <summary>A tag that needs other templates, of which there are none.</summary>
internal sealed record TemplateReference(string Tag, int Line) : Statement(Line)
{
    public override Completion Execute(RenderState state) =>
        throw new EvaluationError($"{Tag}: a chat template stands alone and cannot load other templates");
}
