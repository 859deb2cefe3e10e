using System.Numerics.Tensors;

namespace LoraServe.Adapters.Edits;

/// <summary>A dense row-major matrix of float32 in host memory.</summary>
public sealed class FloatMatrix
{
    /// <summary>Takes over <paramref name="values"/> as the elements of a matrix.</summary>
    /// <exception cref="ArgumentException">There are not <paramref name="rows"/> · <paramref name="columns"/> values.</exception>
    public FloatMatrix(int rows, int columns, float[] values)
    {
        ArgumentNullException.ThrowIfNull(values);
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfNegative(columns);
        if (values.LongLength != (long)rows * columns)
        {
            throw new ArgumentException($"{values.LongLength} values do not fill [{rows}, {columns}].", nameof(values));
        }

        Rows = rows;
        Columns = columns;
        Values = values;
    }

    /// <summary>A matrix of zeros.</summary>
    public FloatMatrix(int rows, int columns)
        : this(rows, columns, new float[checked(rows * columns)])
    {
    }

    /// <summary>Number of rows.</summary>
    public int Rows { get; }

    /// <summary>Number of columns.</summary>
    public int Columns { get; }

    /// <summary>The elements, row after row.</summary>
    public float[] Values { get; }

    /// <summary>Size of the elements in bytes.</summary>
    public long ByteLength => Values.LongLength * sizeof(float);

    /// <summary>One row.</summary>
    public Span<float> Row(int row) => Values.AsSpan(row * Columns, Columns);

    /// <summary>A copy with rows and columns exchanged.</summary>
    public FloatMatrix Transposed()
    {
        var transposed = new FloatMatrix(Columns, Rows);
        for (int row = 0; row < Rows; row++)
        {
            for (int column = 0; column < Columns; column++)
            {
                transposed.Values[(column * Rows) + row] = Values[(row * Columns) + column];
            }
        }

        return transposed;
    }

    /// <summary>A copy of some columns.</summary>
    internal FloatMatrix ColumnsFrom(int first, int count)
    {
        var part = new FloatMatrix(Rows, count);
        for (int row = 0; row < Rows; row++)
        {
            Row(row).Slice(first, count).CopyTo(part.Row(row));
        }

        return part;
    }

    /// <summary>A copy with every row multiplied by a factor of its own.</summary>
    internal FloatMatrix WithScaledRows(ReadOnlySpan<float> factors)
    {
        var scaled = new FloatMatrix(Rows, Columns);
        for (int row = 0; row < Rows; row++)
        {
            TensorPrimitives.Multiply(Row(row), factors[row], scaled.Row(row));
        }

        return scaled;
    }

    /// <summary>The Frobenius norm, summed in double.</summary>
    internal double Norm() => Math.Sqrt(Values.Sum(value => (double)value * value));
}
