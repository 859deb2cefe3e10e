using System.Numerics.Tensors;

namespace LoraServe.Adapters.Edits;

/// <summary>A block-diagonal matrix, less the identity, over the inputs or the outputs of a linear map in some order: x becomes x + D·x.</summary>
/// <remarks>
/// Place j of the order belongs to block j / <see cref="Size"/>. What is at place j adds x·<see cref="Changes"/>[j, c] to what is at
/// the c-th place of its block.
/// </remarks>
/// <param name="Changes">[inputs or outputs, size].</param>
/// <param name="Order">The input or output at each place; empty: each at its own.</param>
public sealed record BlockRotation(FloatMatrix Changes, int[] Order)
{
    /// <summary>Inputs or outputs in a block.</summary>
    public int Size => Changes.Columns;

    /// <summary>Bytes of host memory that the numbers take.</summary>
    public long ByteLength => Changes.ByteLength + (Order.LongLength * sizeof(int));

    /// <summary>What a row of a weight that is applied after the rotation comes to when it is applied without: row ← row + row·D.</summary>
    internal void ApplyToWeight(Span<float> row)
    {
        float[] before = new float[Size];
        for (int first = 0; first < row.Length; first += Size)
        {
            for (int c = 0; c < Size; c++)
            {
                before[c] = row[At(first + c)];
            }

            for (int j = 0; j < Size; j++)
            {
                row[At(first + j)] += TensorPrimitives.Dot(Changes.Row(first + j), before);
            }
        }
    }

    /// <summary>What is in each block, and the matrix that changes it: of place j of the block, c of it, its part of D.</summary>
    internal IEnumerable<(int[] Members, FloatMatrix Changes)> Blocks()
    {
        for (int first = 0; first < Changes.Rows; first += Size)
        {
            yield return ([.. Enumerable.Range(first, Size).Select(At)], new FloatMatrix(Size, Size, Changes.Values[(first * Size)..((first + Size) * Size)]));
        }
    }

    /// <summary>D·m of each column of a matrix that has a row for each output.</summary>
    internal FloatMatrix ChangeOf(FloatMatrix matrix)
    {
        var change = new FloatMatrix(matrix.Rows, matrix.Columns);
        for (int place = 0; place < matrix.Rows; place++)
        {
            int first = place / Size * Size;
            for (int c = 0; c < Size; c++)
            {
                Span<float> row = change.Row(At(first + c));
                TensorPrimitives.MultiplyAdd(matrix.Row(At(place)), Changes.Row(place)[c], row, row);
            }
        }

        return change;
    }

    /// <summary>D·v.</summary>
    internal float[] ChangeOf(float[] vector) => ChangeOf(new FloatMatrix(vector.Length, 1, vector)).Values;

    private int At(int place) => Order.Length == 0 ? place : Order[place];
}
