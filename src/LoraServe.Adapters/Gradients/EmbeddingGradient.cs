using LoraServe.Adapters.Folding;

namespace LoraServe.Adapters.Gradients;

/// <summary>Derivatives by what an adapter does to the token table's rows, part by part as in <see cref="SiteEdits"/>; null where it has no such part.</summary>
public sealed class EmbeddingGradient
{
    /// <summary>Zeros of the shapes that the parts have.</summary>
    /// <param name="edits">The edits of the table.</param>
    /// <param name="replacement">Where derivatives by a replaced table go.</param>
    public EmbeddingGradient(SiteEdits edits, GradientMatrix? replacement)
    {
        ArgumentNullException.ThrowIfNull(edits);
        (int tokens, int width) = (edits.Module.Outputs, edits.Module.Inputs);
        Replacement = replacement;
        Codes = edits.A is { } a ? new GradientMatrix(tokens, a.Rows) : null;
        Directions = edits.B is { } b ? new GradientMatrix(b.Columns, width) : null;
        Table = edits.Dense is not null ? new GradientMatrix(tokens, width) : null;
        RowDeltas = edits.RowDeltas is { } rows ? new GradientMatrix(rows.Rows, width) : null;
    }

    /// <summary>[tokens, width]; belongs to the parameter.</summary>
    public GradientMatrix? Replacement { get; }

    /// <summary>By Aᵀ, [tokens, rank].</summary>
    public GradientMatrix? Codes { get; }

    /// <summary>By Bᵀ with its scale and output scales folded in, [rank, width].</summary>
    public GradientMatrix? Directions { get; }

    /// <summary>[tokens, width].</summary>
    public GradientMatrix? Table { get; }

    /// <summary>[row ids, width].</summary>
    public GradientMatrix? RowDeltas { get; }

    /// <summary>All but what belongs to parameters.</summary>
    public IEnumerable<GradientMatrix> Parts => new[] { Codes, Directions, Table, RowDeltas }.OfType<GradientMatrix>();
}
