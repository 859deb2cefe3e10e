namespace LoraServe.Adapters.Edits;

/// <summary>Scales each input of the base's product at one linear map: W·x becomes W·(l∘x). Other maps of the same input see x.</summary>
/// <param name="Site">The linear map.</param>
/// <param name="Values">l, one factor for each input.</param>
public sealed record InputScale(Site Site, float[] Values) : ModuleEdit(Site)
{
    /// <inheritdoc />
    public override long ByteLength => Values.LongLength * sizeof(float);
}
