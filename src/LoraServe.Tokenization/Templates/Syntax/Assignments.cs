namespace LoraServe.Tokenization.Templates;

/// <summary>What stands left of an assignment or between for and in.</summary>
internal abstract record Target(int Line)
{
    public abstract void Assign(RenderState state, object? value);
}

internal sealed record NameTarget(string Identifier, int Line) : Target(Line)
{
    public override void Assign(RenderState state, object? value) => state.Scope.Set(Identifier, value);
}

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

internal sealed record TupleTarget(IReadOnlyList<Target> Items, int Line) : Target(Line)
{
    public override void Assign(RenderState state, object? value)
    {
        List<object?> values = state.Iterate(value).Take(Items.Count + 1).ToList();
        if (values.Count != Items.Count)
        {
            throw new EvaluationError(values.Count > Items.Count
                ? $"too many values to unpack (expected {Items.Count})"
                : $"not enough values to unpack (expected {Items.Count}, got {values.Count})");
        }

        for (int i = 0; i < values.Count; i++)
        {
            Items[i].Assign(state, values[i]);
        }
    }
}

internal sealed record Set(Target Target, Expression Value, int Line) : Statement(Line)
{
    public override Completion Execute(RenderState state)
    {
        Target.Assign(state, state.Evaluate(Value));
        return Completion.Normal;
    }
}

/// <summary><c>{% set x | filter %}…{% endset %}</c>.</summary>
internal sealed record SetBlock(Target Target, IReadOnlyList<FilterCall> Filters, IReadOnlyList<Statement> Body, int Line)
    : Statement(Line)
{
    public override Completion Execute(RenderState state)
    {
        object? value = state.Capture(new Scope(state.Scope), Body);
        foreach (FilterCall filter in Filters)
        {
            value = filter.Apply(state, value);
        }

        Target.Assign(state, value);
        return Completion.Normal;
    }
}
