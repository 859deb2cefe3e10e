namespace LoraServe.Tokenization.Templates;

/// <summary><c>{% filter name %}…{% endfilter %}</c>.</summary>
internal sealed record FilterBlock(IReadOnlyList<FilterCall> Filters, IReadOnlyList<Statement> Body, int Line) : Statement(Line)
{
    public override Completion Execute(RenderState state)
    {
        object? value = state.Capture(new Scope(state.Scope), Body);
        foreach (FilterCall filter in Filters)
        {
            value = filter.Apply(state, value);
        }

        state.Write(state.ToText(value));
        return Completion.Normal;
    }
}

/// <summary><c>{% with a = 1 %}…{% endwith %}</c>, and <c>generation</c> blocks with no names: a scope of its own.</summary>
internal sealed record With(IReadOnlyList<(Target Target, Expression Value)> Assignments, IReadOnlyList<Statement> Body, int Line)
    : Statement(Line)
{
    public override Completion Execute(RenderState state)
    {
        Scope outer = state.Scope;
        object?[] values = state.EvaluateAll(Assignments.Select(assignment => assignment.Value).ToList());
        state.Scope = new Scope(outer);
        for (int i = 0; i < values.Length; i++)
        {
            Assignments[i].Target.Assign(state, values[i]);
        }

        Completion completion = state.Execute(Body);
        state.Scope = outer;
        return completion;
    }
}

/// <summary><c>{% block name %}…{% endblock %}</c>: sees the template's own variables, not those of a loop around it.</summary>
internal sealed record Block(string Name, IReadOnlyList<Statement> Body, int Line) : Statement(Line)
{
    public override Completion Execute(RenderState state)
    {
        state.Write(Render(state));
        return Completion.Normal;
    }

    public string Render(RenderState state) => state.CaptureCall(new Scope(state.RootScope), Body);
}

/// <summary><c>{% autoescape false %}…{% endautoescape %}</c>; prompts are not HTML, so it cannot be turned on.</summary>
internal sealed record Autoescape(Expression Enabled, IReadOnlyList<Statement> Body, int Line) : Statement(Line)
{
    public override Completion Execute(RenderState state) => Operators.IsTrue(state.Evaluate(Enabled))
        ? throw new EvaluationError("autoescape is not supported: a prompt is not HTML")
        : state.Execute(Body);
}
