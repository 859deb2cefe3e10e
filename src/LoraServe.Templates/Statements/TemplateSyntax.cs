using LoraServe.Templates.Library;
using LoraServe.Templates.Runtime;

namespace LoraServe.Templates.Statements;

/// <summary>What a template parses to.</summary>
internal sealed record TemplateSyntax(IReadOnlyList<Statement> Body, IReadOnlyDictionary<string, Block> Blocks)
{
    /// <summary>What a rendering finds named before anything is set: the template itself and the functions of the language.</summary>
    public Scope Names()
    {
        Scope names = new(Globals.Scope);
        names.Set("self", new SelfValue(Blocks));
        return names;
    }
}
