using LoraServe.Templates.Runtime;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Expressions;

/// <summary>The arguments as written in a call.</summary>
internal sealed record ArgumentList(
    IReadOnlyList<Expression> Positional,
    IReadOnlyList<(string Name, Expression Value)> Named,
    Expression? Star,
    Expression? DoubleStar)
{
    public static readonly ArgumentList Empty = new([], [], null, null);

    public CallArguments Evaluate(RenderState state, bool hasSubject = false, object? subject = null)
    {
        List<object?> positional = new(Positional.Count + 1);
        if (hasSubject)
        {
            positional.Add(subject);
        }

        foreach (Expression argument in Positional)
        {
            positional.Add(state.Evaluate(argument));
        }

        List<KeyValuePair<string, object?>> named = [];
        foreach ((string name, Expression value) in Named)
        {
            named.Add(new(name, state.Evaluate(value)));
        }

        if (Star is not null)
        {
            positional.AddRange(state.Iterate(state.Evaluate(Star)));
        }

        if (DoubleStar is not null)
        {
            AddNamed(named, state.Evaluate(DoubleStar));
        }

        return new CallArguments(positional, named);
    }

    private static void AddNamed(List<KeyValuePair<string, object?>> named, object? value)
    {
        if (value is not DictValue dict)
        {
            throw new EvaluationError($"argument after ** must be a mapping, not {TypeName.Of(value)}");
        }

        foreach ((object? key, object? item) in dict.Items)
        {
            named.Add(new(key as string ?? throw new EvaluationError("keywords must be strings"), item));
        }
    }
}
