using LoraServe.Templates.Runtime;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Statements;

/// <summary>The <c>self</c> of a template: its blocks.</summary>
internal sealed class SelfValue(IReadOnlyDictionary<string, Block> blocks) : IAttributes, IObject
{
    public string TypeName => "TemplateReference";

    public bool TryGetAttribute(string name, out object? value)
    {
        value = blocks.TryGetValue(name, out Block? block)
            ? new NativeFunction(name, "", (state, _) => block.Render(state))
            : null;
        return value is not null;
    }
}
