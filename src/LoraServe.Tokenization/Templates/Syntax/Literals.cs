namespace LoraServe.Tokenization.Templates;

internal sealed record Literal(object? Value, int Line) : Expression(Line)
{
    public override object? Evaluate(RenderState state) => Value;
}

internal sealed record ListLiteral(IReadOnlyList<Expression> Items, int Line) : Expression(Line)
{
    public override object? Evaluate(RenderState state) => new ListValue(state.EvaluateAll(Items));
}

internal sealed record TupleLiteral(IReadOnlyList<Expression> Items, int Line) : Expression(Line)
{
    public override object? Evaluate(RenderState state) => new TupleValue(state.EvaluateAll(Items));
}

internal sealed record DictLiteral(IReadOnlyList<(Expression Key, Expression Value)> Items, int Line) : Expression(Line)
{
    public override object? Evaluate(RenderState state)
    {
        DictValue dict = new();
        foreach ((Expression key, Expression value) in Items)
        {
            object? evaluatedKey = state.Evaluate(key);
            dict.Set(evaluatedKey, state.Evaluate(value));
        }

        state.Charge(dict.Weight);
        return dict;
    }
}
