using LoraServe.Adapters.Resident;

namespace LoraServe.Adapters.Gradients;

/// <summary>Derivatives by what an adapter adds after a sublayer, part by part as in <see cref="BottleneckEdit"/>.</summary>
/// <param name="edit">The edit.</param>
public sealed class BottleneckGradient(BottleneckEdit edit)
{
    /// <summary>[bottleneck, width].</summary>
    public GradientMatrix Down { get; } = new(edit.Down.Outputs, edit.Down.Inputs);

    /// <summary>[bottleneck].</summary>
    public GradientMatrix DownBias { get; } = new(1, edit.Down.Outputs);

    /// <summary>[width, bottleneck].</summary>
    public GradientMatrix Up { get; } = new(edit.Up.Outputs, edit.Up.Inputs);

    /// <summary>[width].</summary>
    public GradientMatrix UpBias { get; } = new(1, edit.Up.Outputs);

    /// <summary>[width].</summary>
    public GradientMatrix Scale { get; } = new(1, edit.Up.Outputs);

    /// <summary>All.</summary>
    public IEnumerable<GradientMatrix> Parts => [Down, DownBias, Up, UpBias, Scale];
}
