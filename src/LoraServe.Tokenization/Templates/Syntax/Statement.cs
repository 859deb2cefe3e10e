namespace LoraServe.Tokenization.Templates;

/// <summary>How a statement ended: breaks and continues unwind to the loop around them.</summary>
internal enum Completion
{
    Normal,
    Break,
    Continue,
}

/// <summary>A statement of the language; it executes itself, writing to the state's output.</summary>
internal abstract record Statement(int Line)
{
    public abstract Completion Execute(RenderState state);
}

/// <summary>What a template parses to.</summary>
internal sealed record TemplateSyntax(IReadOnlyList<Statement> Body, IReadOnlyDictionary<string, Block> Blocks);

internal sealed record TextOutput(string Text, int Line) : Statement(Line)
{
    public override Completion Execute(RenderState state)
    {
        state.Write(Text);
        return Completion.Normal;
    }
}

internal sealed record Print(Expression Value, int Line) : Statement(Line)
{
    public override Completion Execute(RenderState state)
    {
        state.Write(state.ToText(state.Evaluate(Value)));
        return Completion.Normal;
    }
}

internal sealed record If(IReadOnlyList<(Expression Condition, IReadOnlyList<Statement> Body)> Branches,
    IReadOnlyList<Statement> Else, int Line) : Statement(Line)
{
    public override Completion Execute(RenderState state)
    {
        foreach ((Expression condition, IReadOnlyList<Statement> body) in Branches)
        {
            if (Operators.IsTrue(state.Evaluate(condition)))
            {
                return state.Execute(body);
            }
        }

        return state.Execute(Else);
    }
}

/// <summary><c>break</c> or <c>continue</c>.</summary>
internal sealed record LoopExit(Completion Completion, int Line) : Statement(Line)
{
    public override Completion Execute(RenderState state) => Completion;
}

/// <summary>A tag that needs other templates, of which there are none.</summary>
internal sealed record TemplateReference(string Tag, int Line) : Statement(Line)
{
    public override Completion Execute(RenderState state) =>
        throw new EvaluationError($"{Tag}: a chat template stands alone and cannot load other templates");
}
