namespace LoraServe.Training.Autograd;

/// <summary>Derivatives by a layer's prefix.</summary>
internal sealed class PrefixGradient(int rows, int width)
{
    /// <summary>[rows, key/value heads · head size].</summary>
    public GradientMatrix Keys { get; } = new(rows, width);

    /// <summary>[rows, key/value heads · head size].</summary>
    public GradientMatrix Values { get; } = new(rows, width);

    public IEnumerable<GradientMatrix> Parts => [Keys, Values];
}
