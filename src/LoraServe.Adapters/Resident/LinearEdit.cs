using LoraServe.Compute.Matrices;

namespace LoraServe.Adapters.Resident;

/// <summary>What an adapter does at a linear map, in compute form.</summary>
/// <remarks>
/// With y₀ = W·x without bias and the request's weight w, it makes
/// y₀ + w·(<see cref="OutputGain"/>∘y₀ + <see cref="Scale"/>·B·(A·x) + <see cref="Dense"/>·x + <see cref="Bias"/>),
/// adds w·<see cref="RowDeltas"/>·x to the outputs in <see cref="RowIds"/>, and the base's bias comes on top.
/// Memory belongs to the <see cref="ResidentAdapter"/>.
/// </remarks>
public sealed class LinearEdit
{
    private readonly int[] _rowIds;

    internal LinearEdit(PackedMatrix? a, PackedMatrix? b, float scale, nint outputGain, PackedMatrix? dense, nint bias, PackedMatrix? rowDeltas, int[] rowIds)
    {
        A = a;
        B = b;
        Scale = scale;
        OutputGain = outputGain;
        Dense = dense;
        Bias = bias;
        RowDeltas = rowDeltas;
        _rowIds = rowIds;
    }

    /// <summary>[rank, inputs]; null without a low-rank part.</summary>
    public PackedMatrix? A { get; }

    /// <summary>[outputs, rank], output scales folded in; null without a low-rank part.</summary>
    public PackedMatrix? B { get; }

    /// <summary>Factor of the low-rank part.</summary>
    public float Scale { get; }

    /// <summary>Rank of the low-rank part; 0 without one.</summary>
    public int Rank => A?.Outputs ?? 0;

    /// <summary>Output scale less one, float32 [outputs]; 0 without one.</summary>
    public nint OutputGain { get; }

    /// <summary>A whole ΔW, [outputs, inputs], output scales folded in; null without one.</summary>
    public PackedMatrix? Dense { get; }

    /// <summary>Summand of the outputs, float32 [outputs]; 0 without one.</summary>
    public nint Bias { get; }

    /// <summary>Changes of single rows of the head, [rows, inputs]; null without any.</summary>
    public PackedMatrix? RowDeltas { get; }

    /// <summary>The outputs that <see cref="RowDeltas"/> changes, ascending.</summary>
    public ReadOnlySpan<int> RowIds => _rowIds;
}
