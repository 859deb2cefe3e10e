using LoraServe.Templates.Python;
using LoraServe.Templates.Runtime;

namespace LoraServe.Templates.Expressions;

/// <summary>A chain such as <c>1 &lt; x &lt;= 3</c>.</summary>
internal sealed record Comparison(Expression First, IReadOnlyList<(string Symbol, Expression Operand)> Rest, int Line)
    : Expression(Line)
{
    public override object? Evaluate(RenderState state)
    {
        object? left = state.Evaluate(First);
        foreach ((string symbol, Expression operand) in Rest)
        {
            object? right = state.Evaluate(operand);
            if (!Operators.Compare(state, symbol, left, right))
            {
                return false;
            }

            left = right;
        }

        return true;
    }
}
