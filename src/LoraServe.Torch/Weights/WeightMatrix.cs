namespace LoraServe.Torch.Weights;

/// <summary>A weight, [rows, columns], in a device's memory.</summary>
internal abstract class WeightMatrix : IDisposable
{
    /// <summary>Size in memory.</summary>
    public abstract long ByteLength { get; }

    /// <summary>All of it in what is computed in. The tensor is the caller's to dispose of, and its memory is then free where it was made for the call.</summary>
    public abstract Tensor Values();

    /// <summary>Some rows in what is computed in.</summary>
    /// <param name="rows">int64 [n].</param>
    /// <returns>[n, columns].</returns>
    public virtual Tensor Select(Tensor rows)
    {
        using Tensor all = Values();
        return all.index_select(0, rows);
    }

    /// <inheritdoc />
    public abstract void Dispose();

    /// <summary>Size of a tensor in memory.</summary>
    protected static long Bytes(Tensor? tensor) => tensor is null ? 0 : tensor.NumberOfElements * tensor.ElementSize;
}
