using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters.Gradients;

/// <summary>Derivatives by what an adapter adds after a sublayer, part by part as in <see cref="Bottleneck"/>.</summary>
/// <param name="edit">The edit.</param>
public sealed class BottleneckGradient(Bottleneck edit)
{
    /// <summary>[bottleneck, width].</summary>
    public GradientMatrix Down { get; } = new(edit.Down.Rows, edit.Down.Columns);

    /// <summary>[bottleneck].</summary>
    public GradientMatrix DownBias { get; } = new(1, edit.Down.Rows);

    /// <summary>[width, bottleneck].</summary>
    public GradientMatrix Up { get; } = new(edit.Up.Rows, edit.Up.Columns);

    /// <summary>[width].</summary>
    public GradientMatrix UpBias { get; } = new(1, edit.Up.Rows);

    /// <summary>[width].</summary>
    public GradientMatrix Scale { get; } = new(1, edit.Up.Rows);

    /// <summary>All.</summary>
    public IEnumerable<GradientMatrix> Parts => [Down, DownBias, Up, UpBias, Scale];
}
