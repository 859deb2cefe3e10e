using LoraServe.Compute.Matrices;

namespace LoraServe.Cpu.Resident;

/// <summary>What an adapter does at a linear map, in compute form.</summary>
/// <remarks>
/// <para>
/// The map's input is x, the base's weight W and bias b, the request's weight of the adapter w. With all parts present:
/// </para>
/// <code>
/// x̂ = x + w·(InputGain ∘ x),  or  x + w·(Rotation_n … Rotation_1·x − x)
/// y₀ = W·x̂
/// y  = y₀ + w·( OutputGain ∘ y₀
///             + Scale · ProductScale ∘ (B·(s[RankScalings] ∘ RankScale ∘ (A·x)))
///             + Dense·x
///             + Bias )
/// y[RowIds[i]] += w·(RowDeltas·x)[i]
/// y += b
/// </code>
/// <para>
/// So only the base's product sees the changed input and only it takes the output gain: whoever made the edit has folded
/// output scales into B (or, where the factors are shared, into ProductScale) and Dense. A missing scale is all ones,
/// any other missing part all zeros. s are the row's scalings, see <see cref="Models.Forward.RowScalings"/>. Memory belongs to the <see cref="CpuAdapter"/>.
/// </para>
/// <para>
/// With a <see cref="Replacement"/>, which is then the only part, y₀ = Replacement·x̂ for the adapter's rows and b is
/// <see cref="ReplacedBias"/>, whatever w is; other adapters of a stack edit that.
/// </para>
/// </remarks>
internal sealed class LinearEdit
{
    private readonly int[] _rowIds;
    private readonly RotationFactor[] _rotation = [];

    public LinearEdit(PackedMatrix? a, PackedMatrix? b, float scale, int[] rowIds)
    {
        A = a;
        B = b;
        Scale = scale;
        _rowIds = rowIds;
    }

    /// <summary>What takes the place of the base's weight, [outputs, inputs]; null where nothing does.</summary>
    public PackedMatrix? Replacement { get; init; }

    /// <summary>Bias of the <see cref="Replacement"/>, float32 [outputs]; 0 without one.</summary>
    public nint ReplacedBias { get; init; }

    /// <summary>Input scale less one, float32 [inputs]; 0 without one.</summary>
    public nint InputGain { get; init; }

    /// <summary>Factors of the input's rotation, in the order in which they are applied; none without one.</summary>
    public ReadOnlySpan<RotationFactor> Rotation
    {
        get => _rotation;
        init => _rotation = value.ToArray();
    }

    /// <summary>Whether the base's product sees another input than x.</summary>
    public bool ChangesInput => InputGain != 0 || _rotation.Length > 0;

    /// <summary>[rank, inputs]; null without a low-rank part.</summary>
    public PackedMatrix? A { get; }

    /// <summary>[outputs, rank], output scales folded in; null without a low-rank part.</summary>
    public PackedMatrix? B { get; }

    /// <summary>Factor of the low-rank part.</summary>
    public float Scale { get; }

    /// <summary>Factors between A and B, float32 [rank]; 0 without them.</summary>
    public nint RankScale { get; init; }

    /// <summary>For each rank which of the row's scalings comes between A and B, int32 [rank]; 0 where none does.</summary>
    public nint RankScalings { get; init; }

    /// <summary>Factors of the low-rank part's outputs, output scales folded in, float32 [outputs]; 0 without them.</summary>
    public nint ProductScale { get; init; }

    /// <summary>Rank of the low-rank part; 0 without one.</summary>
    public int Rank => A?.Outputs ?? 0;

    /// <summary>Output scale less one, float32 [outputs]; 0 without one.</summary>
    public nint OutputGain { get; init; }

    /// <summary>A whole ΔW, [outputs, inputs], output scales folded in; null without one.</summary>
    public PackedMatrix? Dense { get; init; }

    /// <summary>Summand of the outputs, float32 [outputs]; 0 without one.</summary>
    public nint Bias { get; init; }

    /// <summary>Changes of single rows of the head, [rows, inputs]; null without any.</summary>
    public PackedMatrix? RowDeltas { get; init; }

    /// <summary>The outputs that <see cref="RowDeltas"/> changes, ascending.</summary>
    public ReadOnlySpan<int> RowIds => _rowIds;
}
