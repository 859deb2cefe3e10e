namespace LoraServe.Adapters.Edits;

/// <summary>y[t] += s[t] · scale · B·(A·x[t]), where s[t] is a scaling that the adapter's <see cref="ScalingClassifier"/> gives row t. At the token table as <see cref="LowRank"/>.</summary>
/// <param name="Site">The linear map or the table.</param>
/// <param name="A">[rank, inputs]; at the table [rank, tokens].</param>
/// <param name="B">[outputs, rank]; at the table [width, rank].</param>
/// <param name="Scale">Factor of the product.</param>
/// <param name="Scaling">Which of the row's scalings it is, from 0: place · experts + expert.</param>
public sealed record RoutedLowRank(Site Site, FloatMatrix A, FloatMatrix B, float Scale, int Scaling) : ModuleEdit(Site)
{
    /// <summary>Number of rows of <see cref="A"/>.</summary>
    public int Rank => A.Rows;

    /// <inheritdoc />
    public override long ByteLength => A.ByteLength + B.ByteLength;

    /// <summary>What it is at a scaling of 1.</summary>
    internal LowRank Pair => new(Site, A, B, Scale);
}
