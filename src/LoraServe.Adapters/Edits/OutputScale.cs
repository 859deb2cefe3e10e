namespace LoraServe.Adapters.Edits;

/// <summary>Scales each output of the base's product and of this adapter's products: y ← v∘y, a bias excepted.</summary>
/// <remarks>What scales the base's bias b too (IA3) adds a <see cref="BiasDelta"/> of (v − 1)∘b.</remarks>
/// <param name="Site">The linear map; at the table the scale is over the width.</param>
/// <param name="Values">One factor for each output.</param>
public sealed record OutputScale(Site Site, float[] Values) : ModuleEdit(Site)
{
    /// <inheritdoc />
    public override long ByteLength => Values.LongLength * sizeof(float);
}
