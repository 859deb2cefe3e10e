using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gradients;

namespace LoraServe.Adapters.Methods.Training;

/// <summary>Rows of a table with values of their own. Files have them in any order, edits ascending.</summary>
internal sealed class TokenRows
{
    private readonly int[] _order;
    private readonly int[] _ascending;
    private readonly Parameter _values;
    private readonly float[] _original;
    private readonly int _width;

    /// <summary>Rows in the order of the parameter.</summary>
    /// <param name="tokens">Which.</param>
    /// <param name="values">[tokens, width].</param>
    /// <param name="original">The base's.</param>
    public TokenRows(int[] tokens, Parameter values, float[] original)
    {
        _order = [.. Enumerable.Range(0, tokens.Length).OrderBy(i => tokens[i])];
        _ascending = [.. _order.Select(i => tokens[i])];
        _values = values;
        _original = original;
        _width = values.Shape[1];
    }

    /// <summary>The edit that the values make now.</summary>
    public RowsDelta Edit(Site site)
    {
        float[] deltas = ReplacedParameters.Less(_values, _original);
        var sorted = new FloatMatrix(_order.Length, _width);
        for (int i = 0; i < _order.Length; i++)
        {
            deltas.AsSpan(_order[i] * _width, _width).CopyTo(sorted.Row(i));
        }

        return new RowsDelta(site, _ascending, sorted);
    }

    /// <summary>Adds to the parameter's gradient.</summary>
    public void Pull(GradientMatrix gradient)
    {
        for (int i = 0; i < _order.Length; i++)
        {
            Span<float> row = _values.Gradient.AsSpan(_order[i] * _width, _width);
            TensorPrimitives.Add(row, gradient.Values.AsSpan(i * _width, _width), row);
        }
    }
}
