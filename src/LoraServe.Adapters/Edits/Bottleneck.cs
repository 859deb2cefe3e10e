namespace LoraServe.Adapters.Edits;

/// <summary>The residual stream += f = scale∘(Up·act(Down·input + downBias) + upBias), beside what the sublayer itself adds.</summary>
/// <param name="Layer">Layer number from 0.</param>
/// <param name="Place">After which sublayer.</param>
/// <param name="Input">What it reads.</param>
/// <param name="Down">[bottleneck, width].</param>
/// <param name="DownBias">[bottleneck].</param>
/// <param name="Activation">The non-linearity.</param>
/// <param name="Up">[width, bottleneck].</param>
/// <param name="UpBias">[width].</param>
/// <param name="Scale">One factor, or one for each element of the width.</param>
/// <param name="Norm">A norm over f; null: none.</param>
public sealed record Bottleneck(
    int Layer,
    BottleneckPlace Place,
    BottleneckInput Input,
    FloatMatrix Down,
    float[] DownBias,
    Activation Activation,
    FloatMatrix Up,
    float[] UpBias,
    float[] Scale,
    BottleneckNorm? Norm = null) : AdapterEdit
{
    /// <summary>The scale of each element of the width.</summary>
    public float[] ScaleOfWidth() => Scale.Length == Up.Rows ? Scale : [.. Enumerable.Repeat(Scale[0], Up.Rows)];

    /// <inheritdoc />
    public override long ByteLength =>
        Down.ByteLength + Up.ByteLength
        + ((DownBias.LongLength + UpBias.LongLength + Scale.LongLength + (Norm is null ? 0 : Norm.Gain.LongLength + Norm.Bias.LongLength)) * sizeof(float));
}
