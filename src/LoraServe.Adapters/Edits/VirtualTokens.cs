namespace LoraServe.Adapters.Edits;

/// <summary>Rows of the residual stream ahead of the prompt, as if so many tokens had these embeddings; they take the first positions.</summary>
/// <param name="Rows">[tasks · virtual tokens, width]: those of the first task, then the second's, and so on.</param>
/// <param name="Tasks">For how many tasks there are rows; a use of the adapter is for one of them.</param>
public sealed record VirtualTokens(FloatMatrix Rows, int Tasks = 1) : AdapterEdit
{
    /// <summary>Virtual tokens of a task.</summary>
    public int Count => Rows.Rows / Tasks;

    /// <inheritdoc />
    public override long ByteLength => Rows.ByteLength;
}
