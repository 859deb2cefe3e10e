using LoraServe.Templates.Runtime;

namespace LoraServe.Templates.Statements;

/// <summary>Parameters and body of a macro or a call block.</summary>
internal sealed record MacroSyntax(string Name, IReadOnlyList<string> Parameters, IReadOnlyList<Expression?> Defaults,
    IReadOnlyList<Statement> Body, bool UsesVarargs, bool UsesKwargs, bool UsesCaller);
