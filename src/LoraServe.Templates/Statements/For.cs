using LoraServe.Templates.Runtime;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Statements;

/// <summary><c>{% for target in sequence if condition recursive %}…{% else %}…{% endfor %}</c>.</summary>
internal sealed record For(Target Target, Expression Sequence, Expression? Condition, bool Recursive,
    IReadOnlyList<Statement> Body, IReadOnlyList<Statement> Else, int Line) : Statement(Line)
{
    public override Completion Execute(RenderState state)
    {
        Run(state, state.Evaluate(Sequence), depth: 1);
        return Completion.Normal;
    }

    /// <summary>Runs the loop over a sequence: the one written, or the one given to <c>loop(…)</c>.</summary>
    public void Run(RenderState state, object? sequence, int depth)
    {
        Scope outer = state.Scope;
        List<object?> items = [];
        foreach (object? item in state.Iterate(sequence))
        {
            if (Accepts(state, outer, item))
            {
                items.Add(item);
            }
        }

        LoopValue loop = new(this, items, depth, outer);
        for (int i = 0; i < items.Count; i++)
        {
            state.Charge(8);
            loop.Index0 = i;
            state.Scope = new Scope(outer);
            Target.Assign(state, items[i]);
            state.Scope.Set("loop", loop);
            if (state.Execute(Body) == Completion.Break)
            {
                break;
            }
        }

        if (items.Count == 0)
        {
            state.Scope = new Scope(outer);
            state.Execute(Else);
        }

        state.Scope = outer;
    }

    private bool Accepts(RenderState state, Scope outer, object? item)
    {
        if (Condition is null)
        {
            return true;
        }

        state.Scope = new Scope(outer);
        Target.Assign(state, item);
        bool accepted = Truth.Of(state.Evaluate(Condition));
        state.Scope = outer;
        return accepted;
    }
}
