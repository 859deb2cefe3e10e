using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using LoraServe.Compute.Memory;

namespace LoraServe.Compute.Tensors;

/// <summary>A named, immutable, row-major view of stored elements in a mapped file or in memory of its own.</summary>
/// <remarks>It keeps that memory alive; only disposing the file it came from ends its life early. Data may be unaligned.</remarks>
public sealed unsafe class Tensor
{
    private readonly object _owner;
    private readonly byte* _data;

    /// <summary>Views <paramref name="data"/>, whose bounds the caller has checked; <paramref name="owner"/> is what keeps it in memory.</summary>
    internal Tensor(string name, ElementType type, ImmutableArray<long> shape, byte* data, object owner)
    {
        Name = name;
        Type = type;
        Shape = shape;
        _data = data;
        _owner = owner;
        ElementCount = 1;
        foreach (long extent in shape)
        {
            ElementCount = checked(ElementCount * extent);
        }

        ByteLength = type.ByteLength(ElementCount);
    }

    /// <summary>The name in the file.</summary>
    public string Name { get; }

    /// <summary>How the elements are stored.</summary>
    public ElementType Type { get; }

    /// <summary>Extents, outermost first: a linear weight is [outputs, inputs]. Empty for a scalar.</summary>
    public ImmutableArray<long> Shape { get; }

    /// <summary>Product of <see cref="Shape"/>.</summary>
    public long ElementCount { get; }

    /// <summary>Stored size in bytes.</summary>
    public long ByteLength { get; }

    /// <summary>Elements in a row: the last extent, 1 for a scalar.</summary>
    public long RowLength => Shape.IsEmpty ? 1 : Shape[^1];

    /// <summary>Number of rows of the last dimension; 1 for a scalar or a vector.</summary>
    public long RowCount => RowLength == 0 ? 0 : ElementCount / RowLength;

    /// <summary>The first byte.</summary>
    /// <exception cref="ObjectDisposedException">The file was disposed.</exception>
    public nint Data
    {
        get
        {
            ObjectDisposedException.ThrowIf(_owner is IDisposableMemory { IsDisposed: true }, this);
            return (nint)_data;
        }
    }

    /// <summary>A float32 tensor with a copy of <paramref name="values"/>.</summary>
    /// <exception cref="ArgumentException">The shape does not hold that many values.</exception>
    public static Tensor FromFloats(string name, ReadOnlySpan<float> values, params ReadOnlySpan<long> shape) =>
        FromBytes(name, ElementType.F32, MemoryMarshal.AsBytes(values), shape);

    /// <summary>A float32 tensor that views an array, which stays where it is as long as the tensor lives.</summary>
    /// <exception cref="ArgumentException">The shape does not hold that many values.</exception>
    public static Tensor OverFloats(string name, float[] values, params ReadOnlySpan<long> shape)
    {
        ArgumentNullException.ThrowIfNull(values);
        var pinned = new PinnedArray(values);
        var tensor = new Tensor(name, ElementType.F32, [.. shape], (byte*)pinned.Pointer, pinned);
        return tensor.ElementCount == values.LongLength
            ? tensor
            : throw new ArgumentException($"{tensor} needs {tensor.ElementCount} values, not {values.LongLength}", nameof(values));
    }

    /// <summary>A tensor with a copy of stored elements.</summary>
    /// <exception cref="ArgumentException">The shape does not hold that many bytes.</exception>
    public static Tensor FromBytes(string name, ElementType type, ReadOnlySpan<byte> bytes, params ReadOnlySpan<long> shape)
    {
        var buffer = new NativeBuffer(bytes.Length);
        var tensor = new Tensor(name, type, [.. shape], buffer.Pointer, buffer);
        if (tensor.ByteLength != bytes.Length)
        {
            throw new ArgumentException($"{tensor} needs {tensor.ByteLength} bytes, not {bytes.Length}", nameof(bytes));
        }

        bytes.CopyTo(new Span<byte>(buffer.Pointer, bytes.Length));
        return tensor;
    }

    /// <summary>A tensor that views a part of <paramref name="memory"/>, and is gone when that is disposed.</summary>
    /// <exception cref="ArgumentException">The part is not within the memory.</exception>
    public static Tensor Over(string name, ElementType type, NativeBuffer memory, long byteOffset, params ReadOnlySpan<long> shape)
    {
        ArgumentNullException.ThrowIfNull(memory);
        ArgumentOutOfRangeException.ThrowIfNegative(byteOffset);
        var tensor = new Tensor(name, type, [.. shape], memory.Pointer + byteOffset, memory);
        return tensor.ByteLength <= memory.ByteLength - byteOffset
            ? tensor
            : throw new ArgumentException($"{tensor} needs {tensor.ByteLength} bytes from {byteOffset} on, and the memory has {memory.ByteLength}", nameof(shape));
    }

    /// <summary>One of those that the outermost extent counts: of [n, a, b] the i-th [a, b].</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such one.</exception>
    public Tensor Slice(int index)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Shape.Length, 2);
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Shape[0]);
        return new Tensor(Name, Type, Shape[1..], (byte*)Data + (ByteLength / Shape[0] * index), _owner);
    }

    /// <summary>All elements as float32.</summary>
    /// <exception cref="OverflowException">More elements than an array can hold.</exception>
    public float[] ToFloats()
    {
        float[] values = new float[checked((int)ElementCount)];
        int rowLength = checked((int)RowLength);
        for (int row = 0; row < RowCount; row++)
        {
            CopyRow(row, values.AsSpan(row * rowLength, rowLength));
        }

        return values;
    }

    /// <summary>All elements of a type of integers, exactly.</summary>
    /// <exception cref="OverflowException">More elements than an array can hold.</exception>
    /// <exception cref="InvalidOperationException">They are no integers.</exception>
    public long[] ToIntegers()
    {
        long[] values = new long[checked((int)ElementCount)];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = Type switch
            {
                ElementType.U8 => ((byte*)Data)[i],
                ElementType.I8 => ((sbyte*)Data)[i],
                ElementType.I16 => Unsafe.ReadUnaligned<short>((short*)Data + i),
                ElementType.I32 => Unsafe.ReadUnaligned<int>((int*)Data + i),
                ElementType.I64 => Unsafe.ReadUnaligned<long>((long*)Data + i),
                _ => throw new InvalidOperationException($"{this} holds no integers."),
            };
        }

        GC.KeepAlive(_owner);
        return values;
    }

    /// <summary>Writes row <paramref name="row"/> of the last dimension as float32; exact for every type but F64 and wide integers.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such row.</exception>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is not <see cref="RowLength"/> long.</exception>
    public void CopyRow(long row, Span<float> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, RowCount);
        if (destination.Length != RowLength)
        {
            throw new ArgumentException($"a row of {this} has {RowLength} elements, not {destination.Length}", nameof(destination));
        }

        long rowBytes = ByteLength / RowCount;
        StoredFormats.Of(Type).Decode(new ReadOnlySpan<byte>((byte*)Data + (row * rowBytes), checked((int)rowBytes)), destination);
        GC.KeepAlive(_owner);
    }

    /// <summary>Takes a row of a block type apart.</summary>
    /// <param name="row">The row.</param>
    /// <param name="codes">Gets a code for each element, or is empty.</param>
    /// <param name="scales">Gets a scale for each run (<see cref="CodeTable.RunElements"/>), or is empty.</param>
    /// <param name="minima">Gets a minimum for each run, 0 where the type has none, or is empty.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such row.</exception>
    /// <exception cref="ArgumentException">The type has no codes, or a span has another length.</exception>
    public void CopyCodes(long row, Span<byte> codes, Span<float> scales, Span<float> minima)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, RowCount);
        StoredFormat stored = StoredFormats.Of(Type);
        CodeTable table = CodeTable.Of(stored) ?? throw new ArgumentException($"{this} has no codes", nameof(row));
        long runs = RowLength / table.RunElements;
        if ((!codes.IsEmpty && codes.Length != RowLength) || (!scales.IsEmpty && scales.Length != runs) || (!minima.IsEmpty && minima.Length != runs))
        {
            throw new ArgumentException($"a row of {this} has {RowLength} codes and {runs} scales, not {codes.Length}, {scales.Length} and {minima.Length}", nameof(codes));
        }

        long rowBytes = ByteLength / RowCount;
        stored.TakeApart(new ReadOnlySpan<byte>((byte*)Data + (row * rowBytes), checked((int)rowBytes)), codes, scales, minima);
        GC.KeepAlive(_owner);
    }

    /// <inheritdoc />
    public override string ToString() => $"'{Name}' {Type} [{string.Join(", ", Shape)}]";
}
