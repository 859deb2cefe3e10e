using System.Text;

namespace LoraServe.Tokenization.Templates;

internal sealed record Unary(bool Negate, Expression Operand, int Line) : Expression(Line)
{
    public override object? Evaluate(RenderState state) => Numbers.Unary(Negate, state.Evaluate(Operand));
}

internal sealed record Binary(string Symbol, Expression Left, Expression Right, int Line) : Expression(Line)
{
    public override object? Evaluate(RenderState state)
    {
        object? left = state.Evaluate(Left);
        return Operators.Apply(state, Symbol, left, state.Evaluate(Right));
    }
}

internal sealed record Not(Expression Operand, int Line) : Expression(Line)
{
    public override object? Evaluate(RenderState state) => !Operators.IsTrue(state.Evaluate(Operand));
}

internal sealed record And(Expression Left, Expression Right, int Line) : Expression(Line)
{
    public override object? Evaluate(RenderState state)
    {
        object? left = state.Evaluate(Left);
        return Operators.IsTrue(left) ? state.Evaluate(Right) : left;
    }
}

internal sealed record Or(Expression Left, Expression Right, int Line) : Expression(Line)
{
    public override object? Evaluate(RenderState state)
    {
        object? left = state.Evaluate(Left);
        return Operators.IsTrue(left) ? left : state.Evaluate(Right);
    }
}

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

/// <summary><c>a ~ b ~ c</c>.</summary>
internal sealed record Concatenation(IReadOnlyList<Expression> Parts, int Line) : Expression(Line)
{
    public override object? Evaluate(RenderState state)
    {
        StringBuilder text = new();
        foreach (Expression part in Parts)
        {
            text.Append(state.ToText(state.Evaluate(part)));
            state.CheckLength(text.Length);
        }

        return state.Text(text.ToString());
    }
}

internal sealed record Conditional(Expression Condition, Expression Then, Expression? Else, int Line) : Expression(Line)
{
    public override object? Evaluate(RenderState state) =>
        Operators.IsTrue(state.Evaluate(Condition)) ? state.Evaluate(Then)
        : Else is not null ? state.Evaluate(Else)
        : new Undefined("the inline if-expression evaluated to false and no else section was defined.");
}
