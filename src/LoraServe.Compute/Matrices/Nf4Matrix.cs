namespace LoraServe.Compute.Matrices;

/// <summary>A weight [rows, columns] in NF4, as bitsandbytes stores it: blocks run over the flattened matrix and cross rows.</summary>
public sealed class Nf4Matrix
{
    private readonly byte[] _codes;
    private readonly float[] _scales;

    private Nf4Matrix(int rows, int columns, int blockSize, byte[] codes, float[] scales, NestedScales? nested)
    {
        Rows = rows;
        Columns = columns;
        BlockSize = blockSize;
        _codes = codes;
        _scales = scales;
        Nested = nested;
    }

    /// <summary>Extent of the first index.</summary>
    public int Rows { get; }

    /// <summary>Extent of the second index.</summary>
    public int Columns { get; }

    /// <summary>Values that share a scale.</summary>
    public int BlockSize { get; }

    /// <summary>Codes, two a byte, the first in the high half.</summary>
    public ReadOnlySpan<byte> Codes => _codes;

    /// <summary>What a block's levels are multiplied by.</summary>
    public ReadOnlySpan<float> Scales => _scales;

    /// <summary>How the scales are stored where they are quantised too.</summary>
    public NestedScales? Nested { get; }

    /// <summary>Takes stored codes and scales.</summary>
    /// <exception cref="ArgumentException">Sizes do not fit.</exception>
    public static Nf4Matrix FromStored(int rows, int columns, int blockSize, ReadOnlySpan<byte> codes, ReadOnlySpan<float> scales)
    {
        Check(rows, columns, blockSize, codes.Length, scales.Length);
        return new Nf4Matrix(rows, columns, blockSize, codes.ToArray(), scales.ToArray(), null);
    }

    /// <summary>Takes stored codes and quantised scales.</summary>
    /// <exception cref="ArgumentException">Sizes do not fit.</exception>
    public static Nf4Matrix FromStored(int rows, int columns, int blockSize, ReadOnlySpan<byte> codes, NestedScales scales)
    {
        ArgumentNullException.ThrowIfNull(scales);
        Check(rows, columns, blockSize, codes.Length, scales.Codes.Length);
        return new Nf4Matrix(rows, columns, blockSize, codes.ToArray(), scales.Decode(), scales);
    }

    /// <summary>Quantises row-major values.</summary>
    /// <param name="values">[rows, columns], finite.</param>
    /// <param name="rows">Extent of the first index.</param>
    /// <param name="columns">Extent of the second index.</param>
    /// <param name="doubleQuantization">Whether the scales are quantised too.</param>
    /// <param name="blockSize">Values that share a scale.</param>
    /// <exception cref="ArgumentException">That is not the number of values.</exception>
    public static Nf4Matrix Quantize(ReadOnlySpan<float> values, int rows, int columns, bool doubleQuantization = true, int blockSize = Nf4.DefaultBlockSize)
    {
        int blocks = Nf4.BlockCount(values.Length, Math.Max(blockSize, 1));
        int bytes = (values.Length / 2) + (values.Length % 2);
        Check(rows, columns, blockSize, bytes, blocks);
        if (values.Length != (long)rows * columns)
        {
            throw new ArgumentException($"[{rows}, {columns}] needs {(long)rows * columns} values, not {values.Length}", nameof(values));
        }

        byte[] codes = new byte[values.Length];
        float[] scales = new float[blocks];
        Nf4.Quantize(values, blockSize, codes, scales);
        byte[] packed = new byte[bytes];
        for (int i = 0; i < codes.Length; i++)
        {
            packed[i / 2] |= (byte)(i % 2 == 0 ? codes[i] << 4 : codes[i]);
        }

        NestedScales? nested = doubleQuantization ? NestedScales.Quantize(scales) : null;
        return new Nf4Matrix(rows, columns, blockSize, packed, nested?.Decode() ?? scales, nested);
    }

    /// <summary>Writes row <paramref name="row"/> as float32: level · scale, rounded once.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such row.</exception>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is not <see cref="Columns"/> long.</exception>
    public void CopyRow(int row, Span<float> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, Rows);
        if (destination.Length != Columns)
        {
            throw new ArgumentException($"a row has {Columns} elements, not {destination.Length}", nameof(destination));
        }

        long start = (long)row * Columns;
        for (int i = 0; i < destination.Length; i++)
        {
            destination[i] = Nf4.Levels[CodeAt(start + i)] * ScaleAt(start + i);
        }
    }

    /// <summary>The code of a value of the flattened matrix.</summary>
    internal int CodeAt(long index) => index % 2 == 0 ? _codes[index / 2] >> 4 : _codes[index / 2] & 15;

    /// <summary>The scale of a value of the flattened matrix.</summary>
    internal float ScaleAt(long index) => _scales[index / BlockSize];

    private static void Check(int rows, int columns, int blockSize, int codeBytes, int scales)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(blockSize, 1);
        long count = (long)rows * columns;
        if (codeBytes != (count + 1) / 2 || scales != (count + blockSize - 1) / blockSize)
        {
            throw new ArgumentException(
                $"[{rows}, {columns}] in blocks of {blockSize} has {(count + 1) / 2} bytes of codes and {(count + blockSize - 1) / blockSize} scales, not {codeBytes} and {scales}", nameof(codeBytes));
        }
    }
}
