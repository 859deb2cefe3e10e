using LoraServe.Adapters.Resident;

namespace LoraServe.Adapters.Gradients;

/// <summary>Derivatives by what an adapter does to the token table's rows, part by part as in <see cref="EmbeddingEdit"/>; null where it has no such part.</summary>
/// <param name="edit">The edit.</param>
/// <param name="tokens">Size of the vocabulary.</param>
/// <param name="replacement">Where derivatives by a replaced table go.</param>
public sealed class EmbeddingGradient(EmbeddingEdit edit, int tokens, GradientMatrix? replacement)
{
    /// <summary>[tokens, width]; belongs to the parameter.</summary>
    public GradientMatrix? Replacement { get; } = replacement;

    /// <summary>[tokens, rank].</summary>
    public GradientMatrix? Codes { get; } = edit.Codes != 0 ? new GradientMatrix(tokens, edit.Rank) : null;

    /// <summary>[rank, width].</summary>
    public GradientMatrix? Directions { get; } = edit.Directions != 0 ? new GradientMatrix(edit.Rank, edit.Width) : null;

    /// <summary>[tokens, width].</summary>
    public GradientMatrix? Table { get; } = edit.Table != 0 ? new GradientMatrix(tokens, edit.Width) : null;

    /// <summary>[row ids, width].</summary>
    public GradientMatrix? RowDeltas { get; } = edit.RowDeltas != 0 ? new GradientMatrix(edit.RowIds.Length, edit.Width) : null;

    /// <summary>All but what belongs to parameters.</summary>
    public IEnumerable<GradientMatrix> Parts => new[] { Codes, Directions, Table, RowDeltas }.OfType<GradientMatrix>();
}
