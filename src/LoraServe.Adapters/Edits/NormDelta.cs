namespace LoraServe.Adapters.Edits;

/// <summary>The norm's gains += values.</summary>
/// <param name="Site">The norm.</param>
/// <param name="Values">One summand for each gain.</param>
public sealed record NormDelta(NormSite Site, float[] Values) : AdapterEdit
{
    /// <inheritdoc />
    public override long ByteLength => Values.LongLength * sizeof(float);
}
