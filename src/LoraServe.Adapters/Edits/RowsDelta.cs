namespace LoraServe.Adapters.Edits;

/// <summary>Changes a few rows of the token table or of the head: row tokens[i] += values[i].</summary>
/// <param name="Site"><see cref="Site.Embedding"/> or <see cref="Site.Head"/>.</param>
/// <param name="Tokens">The rows, ascending, each once.</param>
/// <param name="Values">[tokens, width].</param>
public sealed record RowsDelta(Site Site, int[] Tokens, FloatMatrix Values) : ModuleEdit(Site)
{
    /// <inheritdoc />
    public override long ByteLength => Values.ByteLength + (Tokens.LongLength * sizeof(int));
}
