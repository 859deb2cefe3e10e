namespace LoraServe.Adapters.Gradients;

/// <summary>Derivatives by keys and values that an adapter brings to a layer.</summary>
/// <param name="rows">Number of them.</param>
/// <param name="width">Key/value heads · head size.</param>
public sealed class KeyValueGradient(int rows, int width)
{
    /// <summary>[rows, key/value heads · head size].</summary>
    public GradientMatrix Keys { get; } = new(rows, width);

    /// <summary>[rows, key/value heads · head size].</summary>
    public GradientMatrix Values { get; } = new(rows, width);

    /// <summary>All.</summary>
    public IEnumerable<GradientMatrix> Parts => [Keys, Values];
}
