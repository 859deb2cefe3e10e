namespace LoraServe.Torch.Weights;

/// <summary>A weight in what is computed in.</summary>
/// <param name="values">[rows, columns]; becomes its own.</param>
/// <param name="isView">Whether the memory is another matrix's.</param>
internal sealed class DenseMatrix(Tensor values, bool isView = false) : WeightMatrix
{
    /// <inheritdoc />
    public override long ByteLength => isView ? 0 : Bytes(values);

    /// <inheritdoc />
    public override Tensor Values() => values.alias();

    /// <inheritdoc />
    public override void Dispose() => values.Dispose();
}
