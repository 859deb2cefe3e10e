using System.Text;
using LoraServe.Templates.Runtime;

namespace LoraServe.Templates.Expressions;

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
