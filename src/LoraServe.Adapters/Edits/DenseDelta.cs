namespace LoraServe.Adapters.Edits;

/// <summary>y += ΔW·x with a full matrix. At the token table: row t += ΔW[t].</summary>
/// <param name="Site">The linear map or the table.</param>
/// <param name="Values">[outputs, inputs]; at the table [tokens, width].</param>
public sealed record DenseDelta(Site Site, FloatMatrix Values) : ModuleEdit(Site)
{
    /// <inheritdoc />
    public override long ByteLength => Values.ByteLength;
}
