using System.Runtime.InteropServices;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Tensors;

namespace LoraServe.Compute.Matrices;

/// <summary>A linear map's weight [<see cref="Outputs"/>, <see cref="Inputs"/>] as the panels that the kernels read. Immutable and owner of its memory, unless <see cref="In"/> or <see cref="Over(Rows)"/> made it.</summary>
/// <remarks>A panel holds as many consecutive outputs as the machine's vectors have 32-bit lanes; the last one is padded with zeros.</remarks>
public sealed unsafe class PackedMatrix : IDisposable
{
    private readonly NativeBuffer? _buffer;
    private readonly byte* _start;
    private readonly bool _ownsBuffer;

    private PackedMatrix(int outputs, int inputs, PanelLayout layout, Arithmetic arithmetic, int lanes)
        : this(outputs, inputs, layout, arithmetic, lanes, null)
    {
        _buffer = new NativeBuffer(PanelCount * PanelBytes);
        _start = _buffer.Pointer;
        _ownsBuffer = true;
    }

    private PackedMatrix(int outputs, int inputs, PanelLayout layout, Arithmetic arithmetic, int lanes, byte* start, NativeBuffer? shared = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(outputs, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(inputs, 1);
        Outputs = outputs;
        Inputs = inputs;
        Layout = layout;
        Arithmetic = arithmetic;
        Lanes = lanes;
        PanelCount = (outputs + lanes - 1) / lanes;
        PanelBytes = layout.PanelBytes(lanes, inputs);
        _start = start;
        _buffer = shared;
    }

    /// <summary>Length of a result row.</summary>
    public int Outputs { get; }

    /// <summary>Length of an activation row.</summary>
    public int Inputs { get; }

    /// <summary>Bytes of native memory that the weights take.</summary>
    public long ByteLength => _buffer?.ByteLength ?? (long)Outputs * Inputs * sizeof(float);

    internal PanelLayout Layout { get; }

    internal PanelFormat Format => Layout.Format;

    internal Arithmetic Arithmetic { get; }

    /// <summary>Outputs of a panel.</summary>
    internal int Lanes { get; }

    internal int PanelCount { get; }

    internal long PanelBytes { get; }

    /// <summary>Whether activations are rounded to integers to be multiplied with it.</summary>
    internal bool ReadsIntegers => Arithmetic == Arithmetic.Fast && Layout.IsInteger;

    /// <summary>Packs a weight of shape [outputs, inputs].</summary>
    /// <param name="weight">16-bit and quantised types keep their precision and, but for a few bytes, their size; other types become float32.</param>
    /// <param name="arithmetic">How products with a quantised weight are computed.</param>
    /// <param name="rowOrder">When given, packed row i is the weight's row <c>rowOrder[i]</c>.</param>
    /// <exception cref="ArgumentException">The tensor is not a matrix.</exception>
    /// <exception cref="ArgumentOutOfRangeException">It has no elements, or <paramref name="rowOrder"/> names a row that it has not.</exception>
    public static PackedMatrix Pack(Tensor weight, Arithmetic arithmetic, ReadOnlySpan<int> rowOrder = default) =>
        Pack(weight, arithmetic, rowOrder, PanelLayout.DefaultLanes);

    /// <summary>Packs row-major values [outputs, inputs] as float32.</summary>
    /// <exception cref="ArgumentException">That is not the number of values.</exception>
    public static PackedMatrix FromFloats(ReadOnlySpan<float> values, int outputs, int inputs) =>
        FromFloats(values, outputs, inputs, PanelLayout.DefaultLanes);

    /// <summary>Packs an NF4 weight; its products are float32 in either arithmetic.</summary>
    /// <param name="weight">Kept at 5 bits a value where its columns and blocks are whole groups of 32; otherwise as float32 of the same values.</param>
    /// <param name="rowOrder">When given, packed row i is the weight's row <c>rowOrder[i]</c>.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="rowOrder"/> names a row that it has not.</exception>
    public static PackedMatrix Pack(Nf4Matrix weight, ReadOnlySpan<int> rowOrder = default) => Pack(weight, rowOrder, PanelLayout.DefaultLanes);

    /// <summary>The same weights in the same memory, multiplied in <paramref name="arithmetic"/>.</summary>
    /// <remarks>A view: it is valid until the matrix that owns the memory is disposed, and disposing it does nothing.</remarks>
    public PackedMatrix In(Arithmetic arithmetic) => new(Outputs, Inputs, Layout, arithmetic, Lanes, _start, _buffer);

    /// <summary>Float32 weights where they lie, row after row. Products are, bit for bit, those of a packed copy; worth it for weights that change with every use.</summary>
    /// <remarks>A view: the memory must stay where it is as long as the matrix is used, and what is written to it counts from then on.</remarks>
    /// <param name="rows">[outputs, inputs], without gaps between the rows.</param>
    /// <exception cref="ArgumentException">There are gaps.</exception>
    public static PackedMatrix Over(Rows rows) => Over(rows, PanelLayout.DefaultLanes);

    /// <summary>Writes the weights of one output, exactly as its stored form defines them.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such output.</exception>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is not <see cref="Inputs"/> long.</exception>
    public void CopyRow(int output, Span<float> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(output);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(output, Outputs);
        if (destination.Length != Inputs)
        {
            throw new ArgumentException($"a row has {Inputs} elements, not {destination.Length}", nameof(destination));
        }

        (int panel, int lane) = Math.DivRem(output, Lanes);
        PanelPacking.Unpack(Layout, Panel(panel), lane, Lanes, destination);
        GC.KeepAlive(this);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        if (_ownsBuffer)
        {
            _buffer!.Dispose();
        }
    }

    internal static PackedMatrix Pack(Tensor weight, Arithmetic arithmetic, ReadOnlySpan<int> rowOrder, int lanes)
    {
        ArgumentNullException.ThrowIfNull(weight);
        if (weight.Shape.Length != 2)
        {
            throw new ArgumentException($"{weight} is not a matrix [outputs, inputs]", nameof(weight));
        }

        int rows = checked((int)weight.Shape[0]);
        int inputs = checked((int)weight.Shape[1]);
        var stored = StoredFormats.Of(weight.Type);
        PanelLayout layout = stored.HalvesAreFinite((byte*)weight.Data, weight.ByteLength) ? PanelLayout.Holding(stored) : PanelLayout.Of(PanelFormat.F32);
        var packed = new PackedMatrix(rowOrder.IsEmpty ? rows : rowOrder.Length, inputs, layout, arithmetic, lanes);
        bool decode = packed.Format == PanelFormat.F32 && weight.Type != ElementType.F32;
        float[] decoded = decode ? new float[inputs] : [];
        int rowBytes = checked((int)(weight.ByteLength / rows));
        for (int output = 0; output < packed.Outputs; output++)
        {
            int row = SourceRow(rowOrder, output, rows);
            if (decode)
            {
                weight.CopyRow(row, decoded);
                packed.PackRow(StoredFormats.Of(ElementType.F32), output, MemoryMarshal.AsBytes(decoded.AsSpan()));
            }
            else
            {
                packed.PackRow(stored, output, new ReadOnlySpan<byte>((byte*)weight.Data + ((long)row * rowBytes), rowBytes));
            }
        }

        GC.KeepAlive(weight);
        return packed;
    }

    internal static PackedMatrix Pack(Nf4Matrix weight, ReadOnlySpan<int> rowOrder, int lanes)
    {
        ArgumentNullException.ThrowIfNull(weight);
        bool isWhole = weight.Columns % PanelLayout.GroupInputs == 0 && weight.BlockSize % PanelLayout.GroupInputs == 0;
        var layout = PanelLayout.Of(isWhole ? PanelFormat.Nf4 : PanelFormat.F32);
        var packed = new PackedMatrix(rowOrder.IsEmpty ? weight.Rows : rowOrder.Length, weight.Columns, layout, Arithmetic.Exact, lanes);
        float[] values = isWhole ? [] : new float[weight.Columns];
        for (int output = 0; output < packed.Outputs; output++)
        {
            int row = SourceRow(rowOrder, output, weight.Rows);
            if (isWhole)
            {
                (int panel, int lane) = Math.DivRem(output, lanes);
                PanelPacking.Pack(weight, layout, row, packed.Panel(panel), lane, lanes);
            }
            else
            {
                weight.CopyRow(row, values);
                packed.PackRow(StoredFormats.Of(ElementType.F32), output, MemoryMarshal.AsBytes(values.AsSpan()));
            }
        }

        return packed;
    }

    internal static PackedMatrix FromFloats(ReadOnlySpan<float> values, int outputs, int inputs, int lanes)
    {
        if (values.Length != (long)outputs * inputs)
        {
            throw new ArgumentException($"[{outputs}, {inputs}] needs {(long)outputs * inputs} values, not {values.Length}", nameof(values));
        }

        var packed = new PackedMatrix(outputs, inputs, PanelLayout.Of(PanelFormat.F32), Arithmetic.Exact, lanes);
        for (int output = 0; output < outputs; output++)
        {
            packed.PackRow(StoredFormats.Of(ElementType.F32), output, MemoryMarshal.AsBytes(values.Slice(output * inputs, inputs)));
        }

        return packed;
    }

    internal static PackedMatrix Over(Rows rows, int lanes) => rows.Stride == rows.Width
        ? new PackedMatrix(rows.Count, rows.Width, PanelLayout.Of(PanelFormat.Rows), Arithmetic.Exact, lanes, (byte*)rows.Pointer)
        : throw new ArgumentException($"rows of {rows.Width} elements begin every {rows.Stride}; expected no gaps", nameof(rows));

    /// <summary>The weights of a matrix that <see cref="Over(Rows)"/> made.</summary>
    internal Rows StoredRows => new((nint)_start, Outputs, Inputs, Inputs);

    internal byte* Panel(int panel) => _start + (panel * PanelBytes);

    /// <summary>Outputs of a panel, which are fewer than its lanes in the last one.</summary>
    internal int PanelOutputs(int panel) => Math.Min(Lanes, Outputs - (panel * Lanes));

    private static int SourceRow(ReadOnlySpan<int> rowOrder, int output, int rows)
    {
        int row = rowOrder.IsEmpty ? output : rowOrder[output];
        ArgumentOutOfRangeException.ThrowIfNegative(row, nameof(rowOrder));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, rows, nameof(rowOrder));
        return row;
    }

    private void PackRow(StoredFormat stored, int output, ReadOnlySpan<byte> row)
    {
        (int panel, int lane) = Math.DivRem(output, Lanes);
        PanelPacking.Pack(stored, Layout, row, Panel(panel), lane, Lanes);
    }
}
