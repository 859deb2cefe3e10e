namespace LoraServe.Adapters.Edits;

/// <summary>Other gains instead of the norm's own, whatever the request's weight; of a stack the last one counts, and other adapters change that one.</summary>
/// <param name="Site">The norm.</param>
/// <param name="Values">The gains.</param>
public sealed record NormReplacement(NormSite Site, float[] Values) : AdapterEdit
{
    /// <inheritdoc />
    public override long ByteLength => Values.LongLength * sizeof(float);
}
