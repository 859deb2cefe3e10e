namespace LoraServe.Adapters.Edits;

/// <summary>y += values, after everything else at the linear map.</summary>
/// <param name="Site">The linear map.</param>
/// <param name="Values">One summand for each output.</param>
public sealed record BiasDelta(Site Site, float[] Values) : ModuleEdit(Site)
{
    /// <inheritdoc />
    public override long ByteLength => Values.LongLength * sizeof(float);
}
