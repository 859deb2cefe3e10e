using System.Runtime.InteropServices;
using LoraServe.Compute.Kernels.Panels;
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

    private PackedMatrix(int outputs, int inputs, PanelFormat format, Arithmetic arithmetic, PanelKernels kernels)
        : this(outputs, inputs, format, arithmetic, kernels, null)
    {
        _buffer = new NativeBuffer(PanelCount * PanelBytes);
        _start = _buffer.Pointer;
        _ownsBuffer = true;
    }

    private PackedMatrix(int outputs, int inputs, PanelFormat format, Arithmetic arithmetic, PanelKernels kernels, byte* start, NativeBuffer? shared = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(outputs, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(inputs, 1);
        Outputs = outputs;
        Inputs = inputs;
        Format = format;
        Arithmetic = arithmetic;
        Kernels = kernels;
        PanelCount = (outputs + kernels.Lanes - 1) / kernels.Lanes;
        PanelBytes = format.PanelBytes(kernels.Lanes, inputs);
        _start = start;
        _buffer = shared;
    }

    /// <summary>Length of a result row.</summary>
    public int Outputs { get; }

    /// <summary>Length of an activation row.</summary>
    public int Inputs { get; }

    /// <summary>Bytes of native memory that the weights take.</summary>
    public long ByteLength => _buffer?.ByteLength ?? (long)Outputs * Inputs * sizeof(float);

    internal PanelFormat Format { get; }

    internal Arithmetic Arithmetic { get; }

    internal PanelKernels Kernels { get; }

    internal int PanelCount { get; }

    internal long PanelBytes { get; }

    /// <summary>Whether activations are rounded to integers to be multiplied with it.</summary>
    internal bool ReadsIntegers => Arithmetic == Arithmetic.Fast && Format.IsInteger();

    /// <summary>Packs a weight of shape [outputs, inputs].</summary>
    /// <param name="weight">F16, BF16, Q8_0, Q4_0 and Q4_1 keep their precision and size; other types become float32.</param>
    /// <param name="arithmetic">How products with a quantised weight are computed.</param>
    /// <param name="rowOrder">When given, packed row i is the weight's row <c>rowOrder[i]</c>.</param>
    /// <exception cref="ArgumentException">The tensor is not a matrix.</exception>
    /// <exception cref="ArgumentOutOfRangeException">It has no elements, or <paramref name="rowOrder"/> names a row that it has not.</exception>
    public static PackedMatrix Pack(Tensor weight, Arithmetic arithmetic, ReadOnlySpan<int> rowOrder = default) =>
        Pack(weight, arithmetic, rowOrder, PanelKernels.Default);

    /// <summary>Packs row-major values [outputs, inputs] as float32.</summary>
    /// <exception cref="ArgumentException">That is not the number of values.</exception>
    public static PackedMatrix FromFloats(ReadOnlySpan<float> values, int outputs, int inputs) =>
        FromFloats(values, outputs, inputs, PanelKernels.Default);

    /// <summary>Packs an NF4 weight; its products are float32 in either arithmetic.</summary>
    /// <param name="weight">Kept at 5 bits a value where its columns and blocks are whole groups of 32; otherwise as float32 of the same values.</param>
    /// <param name="rowOrder">When given, packed row i is the weight's row <c>rowOrder[i]</c>.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="rowOrder"/> names a row that it has not.</exception>
    public static PackedMatrix Pack(Nf4Matrix weight, ReadOnlySpan<int> rowOrder = default) => Pack(weight, rowOrder, PanelKernels.Default);

    /// <summary>The same weights in the same memory, multiplied in <paramref name="arithmetic"/>.</summary>
    /// <remarks>A view: it is valid until the matrix that owns the memory is disposed, and disposing it does nothing.</remarks>
    public PackedMatrix In(Arithmetic arithmetic) => new(Outputs, Inputs, Format, arithmetic, Kernels, _start, _buffer);

    /// <summary>Float32 weights where they lie, row after row. Products are, bit for bit, those of a packed copy; worth it for weights that change with every use.</summary>
    /// <remarks>A view: the memory must stay where it is as long as the matrix is used, and what is written to it counts from then on.</remarks>
    /// <param name="rows">[outputs, inputs], without gaps between the rows.</param>
    /// <exception cref="ArgumentException">There are gaps.</exception>
    public static PackedMatrix Over(Rows rows) => Over(rows, PanelKernels.Default);

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

        (int panel, int lane) = Math.DivRem(output, Kernels.Lanes);
        PanelPacking.Unpack(Format, Panel(panel), lane, Kernels.Lanes, destination);
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

    internal static PackedMatrix Pack(Tensor weight, Arithmetic arithmetic, ReadOnlySpan<int> rowOrder, PanelKernels kernels)
    {
        ArgumentNullException.ThrowIfNull(weight);
        if (weight.Shape.Length != 2)
        {
            throw new ArgumentException($"{weight} is not a matrix [outputs, inputs]", nameof(weight));
        }

        int rows = checked((int)weight.Shape[0]);
        int inputs = checked((int)weight.Shape[1]);
        var packed = new PackedMatrix(rowOrder.IsEmpty ? rows : rowOrder.Length, inputs, FormatOf(weight), arithmetic, kernels);
        bool decode = packed.Format == PanelFormat.F32 && weight.Type != ElementType.F32;
        float[] decoded = decode ? new float[inputs] : [];
        int rowBytes = checked((int)(weight.ByteLength / rows));
        for (int output = 0; output < packed.Outputs; output++)
        {
            int row = SourceRow(rowOrder, output, rows);
            if (decode)
            {
                weight.CopyRow(row, decoded);
                packed.PackRow(output, MemoryMarshal.AsBytes(decoded.AsSpan()));
            }
            else
            {
                packed.PackRow(output, new ReadOnlySpan<byte>((byte*)weight.Data + ((long)row * rowBytes), rowBytes));
            }
        }

        GC.KeepAlive(weight);
        return packed;
    }

    internal static PackedMatrix Pack(Nf4Matrix weight, ReadOnlySpan<int> rowOrder, PanelKernels kernels)
    {
        ArgumentNullException.ThrowIfNull(weight);
        bool isWhole = weight.Columns % PanelLayout.BlockInputs == 0 && weight.BlockSize % PanelLayout.BlockInputs == 0;
        PanelFormat format = isWhole ? PanelFormat.Nf4 : PanelFormat.F32;
        var packed = new PackedMatrix(rowOrder.IsEmpty ? weight.Rows : rowOrder.Length, weight.Columns, format, Arithmetic.Exact, kernels);
        float[] values = isWhole ? [] : new float[weight.Columns];
        for (int output = 0; output < packed.Outputs; output++)
        {
            int row = SourceRow(rowOrder, output, weight.Rows);
            if (isWhole)
            {
                (int panel, int lane) = Math.DivRem(output, kernels.Lanes);
                PanelPacking.Pack(weight, row, packed.Panel(panel), lane, kernels.Lanes);
            }
            else
            {
                weight.CopyRow(row, values);
                packed.PackRow(output, MemoryMarshal.AsBytes(values.AsSpan()));
            }
        }

        return packed;
    }

    internal static PackedMatrix FromFloats(ReadOnlySpan<float> values, int outputs, int inputs, PanelKernels kernels)
    {
        if (values.Length != (long)outputs * inputs)
        {
            throw new ArgumentException($"[{outputs}, {inputs}] needs {(long)outputs * inputs} values, not {values.Length}", nameof(values));
        }

        var packed = new PackedMatrix(outputs, inputs, PanelFormat.F32, Arithmetic.Exact, kernels);
        for (int output = 0; output < outputs; output++)
        {
            packed.PackRow(output, MemoryMarshal.AsBytes(values.Slice(output * inputs, inputs)));
        }

        return packed;
    }

    internal static PackedMatrix Over(Rows rows, PanelKernels kernels) => rows.Stride == rows.Width
        ? new PackedMatrix(rows.Count, rows.Width, PanelFormat.Rows, Arithmetic.Exact, kernels, (byte*)rows.Pointer)
        : throw new ArgumentException($"rows of {rows.Width} elements begin every {rows.Stride}; expected no gaps", nameof(rows));

    /// <summary>The weights of a matrix that <see cref="Over(Rows)"/> made.</summary>
    internal Rows StoredRows => new((nint)_start, Outputs, Inputs, Inputs);

    internal byte* Panel(int panel) => _start + (panel * PanelBytes);

    /// <summary>Outputs of a panel, which are fewer than its lanes in the last one.</summary>
    internal int PanelOutputs(int panel) => Math.Min(Kernels.Lanes, Outputs - (panel * Kernels.Lanes));

    private static int SourceRow(ReadOnlySpan<int> rowOrder, int output, int rows)
    {
        int row = rowOrder.IsEmpty ? output : rowOrder[output];
        ArgumentOutOfRangeException.ThrowIfNegative(row, nameof(rowOrder));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, rows, nameof(rowOrder));
        return row;
    }

    private void PackRow(int output, ReadOnlySpan<byte> row)
    {
        (int panel, int lane) = Math.DivRem(output, Kernels.Lanes);
        PanelPacking.Pack(Format, row, Panel(panel), lane, Kernels.Lanes);
    }

    private static PanelFormat FormatOf(Tensor weight) => weight.Type switch
    {
        ElementType.BF16 => PanelFormat.BF16,
        ElementType.F16 when HalvesAreFinite(weight, 1) => PanelFormat.F16,
        ElementType.Q8_0 when HalvesAreFinite(weight, 1) => PanelFormat.U8,
        ElementType.Q4_0 when HalvesAreFinite(weight, 1) => PanelFormat.U4,
        ElementType.Q4_1 when HalvesAreFinite(weight, 2) => PanelFormat.U4WithMinimum,
        _ => PanelFormat.F32,
    };

    // Kernels widen halves without a case for infinity and NaN; a weight that has them (a broken one) is kept as float32.
    private static bool HalvesAreFinite(Tensor weight, int halvesPerBlock)
    {
        int blockBytes = weight.Type.BlockBytes();
        for (byte* block = (byte*)weight.Data, end = block + weight.ByteLength; block < end; block += blockBytes)
        {
            for (int half = 0; half < halvesPerBlock; half++)
            {
                if (!Half.IsFinite(((Half*)block)[half]))
                {
                    return false;
                }
            }
        }

        return true;
    }
}
