namespace LoraServe.Adapters.Gradients;

/// <summary>Derivatives by a layer's prefix.</summary>
/// <param name="rows">Rows ahead of the prompt.</param>
/// <param name="width">Key/value heads · head size.</param>
public sealed class PrefixGradient(int rows, int width)
{
    /// <summary>[rows, key/value heads · head size].</summary>
    public GradientMatrix Keys { get; } = new(rows, width);

    /// <summary>[rows, key/value heads · head size].</summary>
    public GradientMatrix Values { get; } = new(rows, width);

    /// <summary>All.</summary>
    public IEnumerable<GradientMatrix> Parts => [Keys, Values];
}
