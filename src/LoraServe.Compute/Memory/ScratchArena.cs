namespace LoraServe.Compute.Memory;

/// <summary>Bump-allocated native scratch for one step. Grows to the most that a step has held at once and then allocates nothing.</summary>
/// <remarks>Owned by one thread. What is rented is not cleared and is valid until <see cref="Reset"/> or the release of an earlier mark.</remarks>
public sealed unsafe class ScratchArena : IDisposable
{
    private const int Alignment = 64;
    private const int OffsetBits = 48;
    private const int LineFloats = Alignment / sizeof(float);

    // From here on what lies between two rows is a small part of them.
    private const int WideRow = 512;

    // Doubling is for small steps: of what training keeps of a step, half would be memory that nobody uses.
    private const long LargestGrowth = 64 << 20;
    private readonly List<NativeBuffer> _blocks = [new(1 << 20, isScratch: true)];
    private int _block;
    private long _used;

    /// <summary>Rents rows of <paramref name="width"/> floats.</summary>
    /// <remarks>Wide rows begin an odd number of cache lines apart: at a multiple of a power of two, those of a column would compete for a few places of each cache.</remarks>
    public Rows Rent(int count, int width)
    {
        int stride = width < WideRow ? width : (((width + LineFloats - 1) / LineFloats) | 1) * LineFloats;
        return new Rows((nint)RentBytes((long)count * stride * sizeof(float)), count, width, stride);
    }

    /// <summary>Rents rows that hold what <paramref name="rows"/> hold now.</summary>
    public Rows Copy(Rows rows)
    {
        Rows copy = Rent(rows.Count, rows.Width);
        for (int row = 0; row < rows.Count; row++)
        {
            rows.Span(row).CopyTo(copy.Span(row));
        }

        return copy;
    }

    /// <summary>Rents bytes aligned to a cache line.</summary>
    public byte* RentBytes(long byteLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(byteLength);
        long rounded = (byteLength + Alignment - 1) & -Alignment;
        while (_used + rounded > _blocks[_block].ByteLength)
        {
            if (++_block == _blocks.Count)
            {
                _blocks.Add(new NativeBuffer(Math.Max(rounded, Math.Min(2 * _blocks[^1].ByteLength, LargestGrowth)), isScratch: true));
            }

            _used = 0;
        }

        byte* rented = _blocks[_block].Pointer + _used;
        _used += rounded;
        return rented;
    }

    /// <summary>A point to which <see cref="Release"/> can go back, so that every layer reuses the same scratch.</summary>
    public long Mark() => ((long)_block << OffsetBits) | _used;

    /// <summary>Gives back what was rented since <paramref name="mark"/>.</summary>
    public void Release(long mark)
    {
        if (mark < Mark())
        {
            _block = (int)(mark >> OffsetBits);
            _used = mark & ((1L << OffsetBits) - 1);
        }
    }

    /// <summary>Gives everything back; after a step that needed several small blocks, joins them into one.</summary>
    public void Reset()
    {
        if (_blocks.Count > 1 && _blocks.Sum(block => block.ByteLength) is <= LargestGrowth and var total)
        {
            _blocks.ForEach(block => block.Dispose());
            _blocks.Clear();
            _blocks.Add(new NativeBuffer(total, isScratch: true));
        }

        _block = 0;
        _used = 0;
    }

    /// <inheritdoc />
    public void Dispose() => _blocks.ForEach(block => block.Dispose());
}
