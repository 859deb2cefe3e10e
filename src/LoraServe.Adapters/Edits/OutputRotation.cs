namespace LoraServe.Adapters.Edits;

/// <summary>Multiplies the base's product at one linear map by a sparse factor: W·x becomes F·W·x, a bias excepted. The adapter's own products are added to that.</summary>
/// <remarks>What rotates the base's bias b too (RoAd) adds a <see cref="BiasDelta"/> of F·b − b.</remarks>
/// <param name="Site">The linear map.</param>
/// <param name="Factor">F, over the outputs.</param>
public sealed record OutputRotation(Site Site, BlockRotation Factor) : ModuleEdit(Site)
{
    /// <inheritdoc />
    public override long ByteLength => Factor.ByteLength;
}
