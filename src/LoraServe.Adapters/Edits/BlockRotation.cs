using System.Numerics.Tensors;

namespace LoraServe.Adapters.Edits;

/// <summary>A block-diagonal matrix, less the identity, over the inputs of a linear map in some order: x becomes x + D·x.</summary>
/// <remarks>
/// Place j of the order belongs to block j / <see cref="Size"/>. What is at place j adds x·<see cref="Changes"/>[j, c] to what is at
/// the c-th place of its block.
/// </remarks>
/// <param name="Changes">[inputs, size].</param>
/// <param name="Order">The input at each place; empty: each at its own.</param>
public sealed record BlockRotation(FloatMatrix Changes, int[] Order)
{
    /// <summary>Inputs in a block.</summary>
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

    private int At(int place) => Order.Length == 0 ? place : Order[place];
}
