namespace LoraServe.Adapters.Edits;

/// <summary>Other gains and biases instead of the norm's own, whatever the request's weight; of a stack the last one counts, and other adapters change that one.</summary>
/// <param name="Site">The norm.</param>
/// <param name="Values">The gains as the base's files have them, then the biases where the norm has them.</param>
public sealed record NormReplacement(NormSite Site, float[] Values) : AdapterEdit
{
    /// <inheritdoc />
    public override long ByteLength => Values.LongLength * sizeof(float);
}
