namespace LoraServe.Adapters.Edits;

/// <summary>Multiplies the input of the base's product at one linear map by sparse factors: W·x becomes W·(F_n … F_1·x). Other maps of the same input see x.</summary>
/// <param name="Site">The linear map.</param>
/// <param name="Factors">F_1 to F_n, in the order in which they are applied.</param>
public sealed record InputRotation(Site Site, IReadOnlyList<BlockRotation> Factors) : ModuleEdit(Site)
{
    /// <inheritdoc />
    public override long ByteLength => Factors.Sum(factor => factor.ByteLength);

    /// <summary>row ← row·F_n … F_1: a row of the weight that does the same to an input that is not rotated.</summary>
    internal void ApplyToWeight(Span<float> row)
    {
        foreach (BlockRotation factor in Factors.Reverse())
        {
            factor.ApplyToWeight(row);
        }
    }
}
