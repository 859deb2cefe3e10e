using LoraServe.Templates.Runtime;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Expressions;

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
