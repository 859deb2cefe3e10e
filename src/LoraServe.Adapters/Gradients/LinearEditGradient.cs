using LoraServe.Adapters.Resident;

namespace LoraServe.Adapters.Gradients;

/// <summary>Derivatives by what an adapter does at a linear map, part by part as in <see cref="LinearEdit"/>; null where it has no such part.</summary>
/// <remarks>A low-rank pair that is shared by all adapters (VeRA) is frozen: only its two vectors are differentiated.</remarks>
public sealed class LinearEditGradient
{
    /// <summary>Zeros of the shapes that the parts have.</summary>
    /// <param name="edit">The edit.</param>
    /// <param name="outputs">Of the map.</param>
    /// <param name="inputs">Of the map.</param>
    /// <param name="replacement">Where derivatives by a replaced weight go.</param>
    public LinearEditGradient(LinearEdit edit, int outputs, int inputs, GradientMatrix? replacement)
    {
        Replacement = replacement;
        bool isShared = edit.RankScale != 0;
        if (edit.A is { } a && edit.B is { } b && !isShared)
        {
            A = new GradientMatrix(a.Outputs, a.Inputs);
            B = new GradientMatrix(b.Outputs, b.Inputs);
        }

        RankScale = isShared ? new GradientMatrix(1, edit.Rank) : null;
        ProductScale = isShared ? new GradientMatrix(1, outputs) : null;
        OutputGain = edit.OutputGain != 0 ? new GradientMatrix(1, outputs) : null;
        InputGain = edit.InputGain != 0 ? new GradientMatrix(1, inputs) : null;
        Rotation = [.. edit.Rotation.ToArray().Select(factor => new GradientMatrix(inputs, factor.Size))];
        Bias = edit.Bias != 0 || edit.ReplacedBias != 0 ? new GradientMatrix(1, outputs) : null;
        Dense = edit.Dense is not null ? new GradientMatrix(outputs, inputs) : null;
        RowDeltas = edit.RowDeltas is { } rows ? new GradientMatrix(rows.Outputs, rows.Inputs) : null;
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

    /// <summary>[outputs].</summary>
    public GradientMatrix? Bias { get; }

    /// <summary>[outputs, inputs].</summary>
    public GradientMatrix? Dense { get; }

    /// <summary>[rows, inputs].</summary>
    public GradientMatrix? RowDeltas { get; }

    /// <summary>All but what belongs to parameters.</summary>
    public IEnumerable<GradientMatrix> Parts =>
        new[] { A, B, RankScale, ProductScale, OutputGain, InputGain, Bias, Dense, RowDeltas }.OfType<GradientMatrix>().Concat(Rotation);
}
