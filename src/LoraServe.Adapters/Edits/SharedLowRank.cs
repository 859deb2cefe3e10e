namespace LoraServe.Adapters.Edits;

/// <summary>y += b∘(B·(d∘(A·x))), where A and B are cut from matrices that all modules of the adapter, and other adapters, share (VeRA).</summary>
/// <param name="Site">The linear map.</param>
/// <param name="A">[rank, at least inputs]; the first columns are used.</param>
/// <param name="B">[at least outputs, rank]; the first rows are used.</param>
/// <param name="RankScale">d, [rank].</param>
/// <param name="ProductScale">b, [outputs].</param>
public sealed record SharedLowRank(Site Site, SharedMatrix A, SharedMatrix B, float[] RankScale, float[] ProductScale) : ModuleEdit(Site)
{
    /// <summary>Number of rows of <see cref="A"/>.</summary>
    public int Rank => A.Values.Rows;

    /// <summary>Bytes of the two scales; the shared matrices belong to no edit.</summary>
    public override long ByteLength => (RankScale.LongLength + ProductScale.LongLength) * sizeof(float);

    /// <summary>The same as a pair of its own, scales folded in.</summary>
    internal LowRank ToLowRank(int inputs)
    {
        FloatMatrix b = B.Values;
        var rows = new FloatMatrix(ProductScale.Length, Rank, b.Values[..(ProductScale.Length * Rank)]);
        return new LowRank(Site, A.Values.ColumnsFrom(0, inputs).WithScaledRows(RankScale), rows.WithScaledRows(ProductScale), 1);
    }
}
