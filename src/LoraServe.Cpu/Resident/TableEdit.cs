using System.Numerics.Tensors;
using LoraServe.Compute.Matrices;

namespace LoraServe.Cpu.Resident;

/// <summary>What an adapter does to the rows that a table of tokens or of positions gives, in compute form.</summary>
/// <remarks>
/// With t₀ the base's row of token t and the request's weight w, the row becomes
/// t₀ + w·(<see cref="OutputGain"/>∘t₀ + Σₖ s[<see cref="RankScalings"/>[k]]·<see cref="Codes"/>[t, k]·<see cref="Directions"/>[k] + <see cref="Table"/>[t]),
/// plus w·<see cref="RowDeltas"/>[i] where t is the i-th of <see cref="RowIds"/>. With a <see cref="Replacement"/> it is the
/// replacement's row of t. Memory belongs to the <see cref="CpuAdapter"/>.
/// </remarks>
internal sealed unsafe class TableEdit
{
    private readonly int[] _rowIds;

    public TableEdit(int width, int rank, int[] rowIds)
    {
        Width = width;
        Rank = rank;
        _rowIds = rowIds;
    }

    /// <summary>The model's width.</summary>
    public int Width { get; }

    /// <summary>Rank of the low-rank part; 0 without one.</summary>
    public int Rank { get; }

    /// <summary>Aᵀ, float32 [tokens, rank]; 0 without a low-rank part.</summary>
    public nint Codes { get; init; }

    /// <summary>For each rank which of the row's scalings s it is multiplied by, int32 [rank]; 0 where none does.</summary>
    public nint RankScalings { get; init; }

    /// <summary>Bᵀ with its scale and output scales folded in, float32 [rank, width]; 0 without a low-rank part.</summary>
    public nint Directions { get; init; }

    /// <summary>Another table instead of the base's, [tokens, width]; null without one.</summary>
    public PackedMatrix? Replacement { get; init; }

    /// <summary>Whether another table takes the base's place.</summary>
    public bool Replaces => Replacement is not null;

    /// <summary>Output scale less one, float32 [width]; 0 without one.</summary>
    public nint OutputGain { get; init; }

    /// <summary>Change of every row, float32 [tokens, width]; 0 without one.</summary>
    public nint Table { get; init; }

    /// <summary>Change of some rows, float32 [row ids, width]; 0 without any.</summary>
    public nint RowDeltas { get; init; }

    /// <summary>The tokens whose rows <see cref="RowDeltas"/> changes, ascending.</summary>
    public ReadOnlySpan<int> RowIds => _rowIds;

    /// <summary>Edits the base's row of a token in place.</summary>
    /// <param name="token">The token, within the vocabulary.</param>
    /// <param name="weight">The request's weight of the adapter.</param>
    /// <param name="scalings">What its pairs are scaled by in this row.</param>
    /// <param name="row">The row, as wide as the model.</param>
    public void Apply(int token, float weight, ReadOnlySpan<float> scalings, Span<float> row)
    {
        Replacement?.CopyRow(token, row);
        if (OutputGain != 0)
        {
            for (int i = 0; i < row.Length; i++)
            {
                row[i] += weight * ((float*)OutputGain)[i] * row[i];
            }
        }

        for (int k = 0; k < Rank; k++)
        {
            float scaling = RankScalings == 0 ? 1 : scalings[((int*)RankScalings)[k]];
            Add(Directions, k, weight * scaling * ((float*)Codes)[((long)token * Rank) + k], row);
        }

        if (Table != 0)
        {
            Add(Table, token, weight, row);
        }

        if (RowDeltas != 0 && Array.BinarySearch(_rowIds, token) is >= 0 and int place)
        {
            Add(RowDeltas, place, weight, row);
        }
    }

    private void Add(nint matrix, int index, float factor, Span<float> row) =>
        TensorPrimitives.MultiplyAdd(new ReadOnlySpan<float>((float*)matrix + ((long)index * Width), Width), factor, row, row);
}
