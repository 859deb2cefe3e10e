using System.Numerics.Tensors;

namespace LoraServe.Adapters.Resident;

/// <summary>What an adapter does to the rows that the token table gives. Memory belongs to the <see cref="ResidentAdapter"/>.</summary>
public sealed unsafe class EmbeddingEdit
{
    private readonly int _width;
    private readonly int _rank;
    private readonly float* _codes;
    private readonly float* _directions;
    private readonly float* _gain;
    private readonly float* _table;
    private readonly float* _rows;
    private readonly int[] _rowIds;

    /// <summary>Takes pointers into the resident adapter's memory, null where a part is missing.</summary>
    /// <param name="width">The model's width.</param>
    /// <param name="rank">Rank of the low-rank part.</param>
    /// <param name="codes">[tokens, rank].</param>
    /// <param name="directions">[rank, width], scaled.</param>
    /// <param name="gain">Output scale less one, [width].</param>
    /// <param name="table">Change of every row, [tokens, width].</param>
    /// <param name="rows">Change of some rows, [rowIds, width].</param>
    /// <param name="rowIds">Those rows, ascending.</param>
    internal EmbeddingEdit(int width, int rank, float* codes, float* directions, float* gain, float* table, float* rows, int[] rowIds)
    {
        _width = width;
        _rank = rank;
        _codes = codes;
        _directions = directions;
        _gain = gain;
        _table = table;
        _rows = rows;
        _rowIds = rowIds;
    }

    /// <summary>Edits the base's row of a token in place.</summary>
    /// <param name="token">The token, within the vocabulary.</param>
    /// <param name="weight">The request's weight of the adapter.</param>
    /// <param name="row">The row, as wide as the model.</param>
    public void Apply(int token, float weight, Span<float> row)
    {
        if (_gain is not null)
        {
            for (int i = 0; i < row.Length; i++)
            {
                row[i] += weight * _gain[i] * row[i];
            }
        }

        for (int k = 0; k < _rank; k++)
        {
            Add(_directions + ((long)k * _width), weight * _codes[((long)token * _rank) + k], row);
        }

        if (_table is not null)
        {
            Add(_table + ((long)token * _width), weight, row);
        }

        int place = _rows is null ? -1 : Array.BinarySearch(_rowIds, token);
        if (place >= 0)
        {
            Add(_rows + ((long)place * _width), weight, row);
        }
    }

    private void Add(float* values, float factor, Span<float> row) =>
        TensorPrimitives.MultiplyAdd(new ReadOnlySpan<float>(values, _width), factor, row, row);
}
