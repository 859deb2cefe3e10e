namespace LoraServe.Adapters.Edits;

/// <summary>Attention to keys and values of the adapter's own, apart from the sequence's: softmax(q·Kᵀ/√(head size))·V of each head is added, with a softmax of its own.</summary>
/// <param name="Layer">Layer number from 0.</param>
/// <param name="Place">Where it is added.</param>
/// <param name="Keys">[rows, key/value heads · head size], used as they are: not rotated. Queries are those that attention reads.</param>
/// <param name="Values">Of the same shape, a gate multiplied in.</param>
public sealed record PromptAttention(int Layer, PromptPlace Place, FloatMatrix Keys, FloatMatrix Values) : AdapterEdit
{
    /// <inheritdoc />
    public override long ByteLength => Keys.ByteLength + Values.ByteLength;
}
