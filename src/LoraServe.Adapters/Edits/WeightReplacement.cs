namespace LoraServe.Adapters.Edits;

/// <summary>Another linear map instead of the base's: y = weight·x + bias, and nothing of the base. At the token table: another table.</summary>
/// <remarks>
/// It is there whole or not at all: the request's weight does not scale it, of a stack the last one counts, and nothing else of
/// the same adapter edits the map; what other adapters of the stack do is done to it, wherever they stand there. The weight is not
/// copied when the adapter becomes resident: what is written to it counts from then on.
/// </remarks>
/// <param name="Site">The linear map or the table.</param>
/// <param name="Weight">[outputs, inputs]; of the table [tokens, width].</param>
/// <param name="Bias">One summand for each output; null for none.</param>
public sealed record WeightReplacement(Site Site, FloatMatrix Weight, float[]? Bias = null) : ModuleEdit(Site)
{
    /// <inheritdoc />
    public override long ByteLength => Weight.ByteLength + ((Bias?.LongLength ?? 0) * sizeof(float));
}
