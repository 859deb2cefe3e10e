namespace LoraServe.Adapters.Edits;

/// <summary>Keys and values of one layer ahead of the prompt; they take the first positions.</summary>
/// <param name="Layer">Layer number from 0.</param>
/// <param name="Keys">[virtual tokens, key/value heads · head size], used as they are: not rotated.</param>
/// <param name="Values">Of the same shape.</param>
public sealed record PrefixKeyValue(int Layer, FloatMatrix Keys, FloatMatrix Values) : AdapterEdit
{
    /// <inheritdoc />
    public override long ByteLength => Keys.ByteLength + Values.ByteLength;
}
