namespace LoraServe.Adapters.Edits;

/// <summary>y += scale · B·(A·x). At the token table: row t += scale · B·A[:, t].</summary>
/// <param name="Site">The linear map or the table.</param>
/// <param name="A">[rank, inputs]; at the table [rank, tokens].</param>
/// <param name="B">[outputs, rank]; at the table [width, rank].</param>
/// <param name="Scale">Factor of the product.</param>
public sealed record LowRank(Site Site, FloatMatrix A, FloatMatrix B, float Scale) : ModuleEdit(Site)
{
    /// <summary>Number of rows of <see cref="A"/>.</summary>
    public int Rank => A.Rows;

    /// <inheritdoc />
    public override long ByteLength => A.ByteLength + B.ByteLength;
}
