namespace LoraServe.Torch.Resident;

/// <summary>What an adapter does to the rows that a table of tokens or of positions gives, in device memory.</summary>
/// <remarks>
/// With t₀ the row of token t and the request's weight w, the row becomes
/// t₀ + w·(OutputGain∘t₀ + (s[RankScalings]∘Codes[t])·Directions + Table[t]), plus w·RowDeltas[i] where t is the i-th of the row ids; s are the row's scalings. With a
/// <see cref="Replacement"/> it is the replacement's row of t.
/// </remarks>
internal sealed record TableEdit
{
    /// <summary>Aᵀ, [tokens, rank].</summary>
    public Tensor? Codes { get; init; }

    /// <summary>For each rank which of the row's scalings it is multiplied by, int64 [rank].</summary>
    public Tensor? RankScalings { get; init; }

    /// <summary>Bᵀ with its scale and output scales folded in, [rank, D].</summary>
    public Tensor? Directions { get; init; }

    /// <summary>Another table, [V, D].</summary>
    public Tensor? Replacement { get; init; }

    /// <summary>Output scale less one, [D].</summary>
    public Tensor? OutputGain { get; init; }

    /// <summary>Change of every row, [V, D].</summary>
    public Tensor? Table { get; init; }

    /// <summary>Change of some rows, [row ids, D].</summary>
    public Tensor? RowDeltas { get; init; }

    /// <summary>For each token the row of <see cref="RowDeltas"/> that changes it, or their number; int64 [V].</summary>
    public Tensor? RowOfToken { get; init; }
}
