namespace LoraServe.Adapters.Edits;

/// <summary>The norm's gains, and biases where it has them, += values.</summary>
/// <param name="Site">The norm.</param>
/// <param name="Values">One summand for each gain, then for each bias.</param>
public sealed record NormDelta(NormSite Site, float[] Values) : AdapterEdit
{
    /// <inheritdoc />
    public override long ByteLength => Values.LongLength * sizeof(float);
}
