namespace LoraServe.Tokenization.Templates;

/// <summary>Parameters and body of a macro or a call block.</summary>
internal sealed record MacroSyntax(string Name, IReadOnlyList<string> Parameters, IReadOnlyList<Expression?> Defaults,
    IReadOnlyList<Statement> Body, bool UsesVarargs, bool UsesKwargs, bool UsesCaller);

internal sealed record MacroDefinition(MacroSyntax Macro, int Line) : Statement(Line)
{
    public override Completion Execute(RenderState state)
    {
        state.Scope.Set(Macro.Name, new MacroValue(Macro, state.Scope));
        return Completion.Normal;
    }
}

/// <summary><c>{% call(parameters) macro(arguments) %}…{% endcall %}</c>.</summary>
internal sealed record CallBlock(Call Call, MacroSyntax Caller, int Line) : Statement(Line)
{
    public override Completion Execute(RenderState state)
    {
        object? target = state.Evaluate(Call.Target);
        CallArguments arguments = Call.Arguments.Evaluate(state);
        arguments.Named.Add(new("caller", new MacroValue(Caller, state.Scope)));
        state.Write(state.ToText(state.Call(target, arguments)));
        return Completion.Normal;
    }
}
