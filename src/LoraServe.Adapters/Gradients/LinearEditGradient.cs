using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Folding;

namespace LoraServe.Adapters.Gradients;

/// <summary>Derivatives by what an adapter does at a linear map, part by part as in <see cref="SiteEdits"/>; null where it has no such part.</summary>
/// <remarks>A low-rank pair that is shared by all adapters (VeRA) is frozen: only its two vectors are differentiated.</remarks>
public sealed class LinearEditGradient
{
    /// <summary>Zeros of the shapes that the parts have.</summary>
    /// <param name="edits">The edits of the map.</param>
    /// <param name="replacement">Where derivatives by a replaced weight go.</param>
    public LinearEditGradient(SiteEdits edits, GradientMatrix? replacement)
    {
        ArgumentNullException.ThrowIfNull(edits);
        (int outputs, int inputs) = (edits.Module.Outputs, edits.Module.Inputs);
        Replacement = replacement;
        A = Like(edits.A);
        B = Like(edits.B);
        RankScale = edits.Shared is { } shared ? new GradientMatrix(1, shared.Rank) : null;
        ProductScale = edits.Shared is not null ? new GradientMatrix(1, outputs) : null;
        OutputGain = edits.OutputGain is not null ? new GradientMatrix(1, outputs) : null;
        InputGain = edits.InputGain is not null ? new GradientMatrix(1, inputs) : null;
        Rotation = [.. (edits.Rotation?.Factors ?? []).Select(factor => new GradientMatrix(inputs, factor.Size))];
        OutputRotation = edits.OutputRotation is { } turned ? new GradientMatrix(outputs, turned.Size) : null;
        Bias = edits.Bias is not null || edits.Replacement?.Bias is not null ? new GradientMatrix(1, outputs) : null;
        Dense = Like(edits.Dense);
        RowDeltas = Like(edits.RowDeltas);
    }

    /// <summary>[outputs, inputs]; belongs to the parameter.</summary>
    public GradientMatrix? Replacement { get; }

    /// <summary>[rank, inputs].</summary>
    public GradientMatrix? A { get; }

    /// <summary>[outputs, rank].</summary>
    public GradientMatrix? B { get; }

    /// <summary>[rank].</summary>
    public GradientMatrix? RankScale { get; }

    /// <summary>[outputs].</summary>
    public GradientMatrix? ProductScale { get; }

    /// <summary>[outputs].</summary>
    public GradientMatrix? OutputGain { get; }

    /// <summary>[inputs].</summary>
    public GradientMatrix? InputGain { get; }

    /// <summary>[inputs, size] for each factor, in the order in which they are applied.</summary>
    public IReadOnlyList<GradientMatrix> Rotation { get; } = [];

    /// <summary>[outputs, size].</summary>
    public GradientMatrix? OutputRotation { get; }

    /// <summary>[outputs].</summary>
    public GradientMatrix? Bias { get; }

    /// <summary>[outputs, inputs].</summary>
    public GradientMatrix? Dense { get; }

    /// <summary>[rows, inputs].</summary>
    public GradientMatrix? RowDeltas { get; }

    /// <summary>All but what belongs to parameters.</summary>
    public IEnumerable<GradientMatrix> Parts =>
        new[] { A, B, RankScale, ProductScale, OutputGain, OutputRotation, InputGain, Bias, Dense, RowDeltas }.OfType<GradientMatrix>().Concat(Rotation);

    private static GradientMatrix? Like(FloatMatrix? matrix) => matrix is null ? null : new GradientMatrix(matrix.Rows, matrix.Columns);
}
