namespace LoraServe.Torch.Resident;

/// <summary>What an adapter does at a linear map, in device memory.</summary>
/// <remarks>
/// <para>The map's input is x, the base's weight W and bias b, the request's weight of the adapter w. With all parts present:</para>
/// <code>
/// x̂ = x + w·(InputGain ∘ x),  or  x + w·(Rotation_n … Rotation_1·x − x)
/// y₀ = W·x̂
/// y  = y₀ + w·( OutputGain ∘ y₀ + Scale · ProductScale ∘ (B·(s[RankScalings] ∘ RankScale ∘ (A·x))) + Dense·x + Bias )
/// y[RowIds[i]] += w·(RowDeltas·x)[i]
/// y += b
/// </code>
/// <para>s are the row's scalings, see <see cref="Models.Forward.RowScalings"/>.</para>
/// <para>With a <see cref="Replacement"/>, which is then the only part, y₀ = Replacement·x̂ and b is <see cref="ReplacedBias"/>, whatever w is.</para>
/// </remarks>
internal sealed record LinearEdit
{
    /// <summary>What takes the place of the base's weight, [outputs, inputs].</summary>
    public Tensor? Replacement { get; init; }

    /// <summary>Bias of the <see cref="Replacement"/>, [outputs].</summary>
    public Tensor? ReplacedBias { get; init; }

    /// <summary>Input scale less one, [inputs].</summary>
    public Tensor? InputGain { get; init; }

    /// <summary>Factors of the input's rotation, in the order in which they are applied.</summary>
    public IReadOnlyList<RotationFactor> Rotation { get; init; } = [];

    /// <summary>[rank, inputs].</summary>
    public Tensor? A { get; init; }

    /// <summary>[outputs, rank], output scales folded in.</summary>
    public Tensor? B { get; init; }

    /// <summary>Whether <see cref="A"/> and <see cref="B"/> lie with other adapters' in the adapter's slot, see <see cref="AdapterArena"/>; <see cref="Scale"/> is then 1.</summary>
    public bool IsInSlot { get; init; }

    /// <summary>Whether it does more than a low-rank pair does.</summary>
    public bool DoesMore => !OnlyAdds || Dense is not null || Bias is not null || RowDeltas is not null;

    /// <summary>Factor of the low-rank part.</summary>
    public float Scale { get; init; } = 1;

    /// <summary>Factors between A and B, [rank].</summary>
    public Tensor? RankScale { get; init; }

    /// <summary>For each rank which of the row's scalings comes between A and B, int64 [rank].</summary>
    public Tensor? RankScalings { get; init; }

    /// <summary>Factors of the low-rank part's outputs, [outputs].</summary>
    public Tensor? ProductScale { get; init; }

    /// <summary>Output scale less one, [outputs].</summary>
    public Tensor? OutputGain { get; init; }

    /// <summary>A whole ΔW, [outputs, inputs], output scales folded in.</summary>
    public Tensor? Dense { get; init; }

    /// <summary>Summand of the outputs, [outputs].</summary>
    public Tensor? Bias { get; init; }

    /// <summary>Changes of single rows of the head, [rows, inputs].</summary>
    public Tensor? RowDeltas { get; init; }

    /// <summary>The outputs that <see cref="RowDeltas"/> changes, int64.</summary>
    public Tensor? RowIds { get; init; }

    /// <summary>Whether it only adds to the base's product, so that this can be computed with others' and with its bias.</summary>
    public bool OnlyAdds => Replacement is null && InputGain is null && Rotation.Count == 0 && OutputGain is null;
}
