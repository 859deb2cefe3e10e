using LoraServe.Adapters.Folding;

namespace LoraServe.Adapters.Gradients;

/// <summary>Derivatives by what an adapter does to the rows of a table, of tokens or of positions, part by part as in <see cref="SiteEdits"/>; null where it has no such part.</summary>
public sealed class TableGradient
{
    /// <summary>Zeros of the shapes that the parts have.</summary>
    /// <param name="edits">The edits of the table.</param>
    /// <param name="replacement">Where derivatives by a replaced table go.</param>
    public TableGradient(SiteEdits edits, GradientMatrix? replacement)
    {
        ArgumentNullException.ThrowIfNull(edits);
        (int count, int width) = (edits.Module.Outputs, edits.Module.Inputs);
        Replacement = replacement;
        Codes = edits.A is { } a ? new GradientMatrix(count, a.Rows) : null;
        Directions = edits.B is { } b ? new GradientMatrix(b.Columns, width) : null;
        Table = edits.Dense is not null ? new GradientMatrix(count, width) : null;
        RowDeltas = edits.RowDeltas is { } rows ? new GradientMatrix(rows.Rows, width) : null;
    }

    /// <summary>[rows, width]; belongs to the parameter.</summary>
    public GradientMatrix? Replacement { get; }

    /// <summary>By Aᵀ, [rows, rank].</summary>
    public GradientMatrix? Codes { get; }

    /// <summary>By Bᵀ with its scale and output scales folded in, [rank, width].</summary>
    public GradientMatrix? Directions { get; }

    /// <summary>[rows, width].</summary>
    public GradientMatrix? Table { get; }

    /// <summary>[row ids, width].</summary>
    public GradientMatrix? RowDeltas { get; }

    /// <summary>All but what belongs to parameters.</summary>
    public IEnumerable<GradientMatrix> Parts => new[] { Codes, Directions, Table, RowDeltas }.OfType<GradientMatrix>();
}
