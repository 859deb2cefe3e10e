namespace LoraServe.Tokenization.Templates;

internal sealed record Name(string Identifier, int Line) : Expression(Line)
{
    public override object? Evaluate(RenderState state) => state.Lookup(Identifier);
}

/// <summary><c>target.name</c>: attributes first, then items.</summary>
internal sealed record AttributeAccess(Expression Target, string Attribute, int Line) : Expression(Line)
{
    public override object? Evaluate(RenderState state) => Access.Attribute(state.Evaluate(Target), Attribute);
}

/// <summary><c>target[key]</c>: items first, then attributes.</summary>
internal sealed record ItemAccess(Expression Target, Expression Key, int Line) : Expression(Line)
{
    public override object? Evaluate(RenderState state)
    {
        object? target = state.Evaluate(Target);
        return Access.Item(target, state.Evaluate(Key));
    }
}

/// <summary><c>target[start:stop:step]</c>.</summary>
internal sealed record SliceAccess(Expression Target, Expression? Start, Expression? Stop, Expression? Step, int Line)
    : Expression(Line)
{
    public override object? Evaluate(RenderState state)
    {
        object? target = state.Evaluate(Target);
        object? start = Start is null ? null : state.Evaluate(Start);
        object? stop = Stop is null ? null : state.Evaluate(Stop);
        object? step = Step is null ? null : state.Evaluate(Step);
        return Slicing.Slice(state, target, start, stop, step);
    }
}
