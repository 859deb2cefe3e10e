namespace LoraServe.Compute.Memory;

/// <summary>Bump-allocated native scratch for one step. Grows to the largest step seen and then allocates nothing.</summary>
/// <remarks>Owned by one thread. What is rented is not cleared and is valid until <see cref="Reset"/> or the release of an earlier mark.</remarks>
public sealed unsafe class ScratchArena : IDisposable
{
    private const int Alignment = 64;
    private readonly List<NativeBuffer> _overflow = [];
    private NativeBuffer _block = new(1 << 20);
    private long _used;
    private long _overflowBytes;

    /// <summary>Rents rows of <paramref name="width"/> floats, densely packed.</summary>
    public Rows Rent(int count, int width) => new((nint)RentBytes((long)count * width * sizeof(float)), count, width, width);

    /// <summary>Rents bytes aligned to a cache line.</summary>
    public byte* RentBytes(long byteLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(byteLength);
        long rounded = (byteLength + Alignment - 1) & -Alignment;
        if (_used + rounded <= _block.ByteLength)
        {
            byte* rented = _block.Pointer + _used;
            _used += rounded;
            return rented;
        }

        var extra = new NativeBuffer(rounded);
        _overflow.Add(extra);
        _overflowBytes += rounded;
        return extra.Pointer;
    }

    /// <summary>A point to which <see cref="Release"/> can go back, so that every layer reuses the same scratch.</summary>
    public long Mark() => _used;

    /// <summary>Gives back what was rented since <paramref name="mark"/>.</summary>
    public void Release(long mark) => _used = Math.Min(_used, mark);

    /// <summary>Gives everything back; after a step that overflowed, grows so that the next such step does not.</summary>
    public void Reset()
    {
        if (_overflow.Count > 0)
        {
            long wanted = _block.ByteLength + _overflowBytes;
            _overflow.ForEach(extra => extra.Dispose());
            _overflow.Clear();
            _overflowBytes = 0;
            _block.Dispose();
            _block = new NativeBuffer(wanted);
        }

        _used = 0;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _overflow.ForEach(extra => extra.Dispose());
        _block.Dispose();
    }
}
