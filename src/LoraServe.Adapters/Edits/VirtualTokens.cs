namespace LoraServe.Adapters.Edits;

/// <summary>Rows of the residual stream ahead of the prompt, as if so many tokens had these embeddings; they take the first positions.</summary>
/// <param name="Rows">[virtual tokens, width].</param>
public sealed record VirtualTokens(FloatMatrix Rows) : AdapterEdit
{
    /// <inheritdoc />
    public override long ByteLength => Rows.ByteLength;
}
