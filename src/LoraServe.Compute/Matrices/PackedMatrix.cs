using LoraServe.Compute.Memory;
using LoraServe.Compute.Tensors;

namespace LoraServe.Compute.Matrices;

/// <summary>A linear map's weight [<see cref="Outputs"/>, <see cref="Inputs"/>] in the form that the kernels read. Immutable; owns its memory.</summary>
public sealed unsafe class PackedMatrix : IDisposable
{
    private readonly NativeBuffer _buffer;

    private PackedMatrix(int outputs, int inputs, ElementType sourceType)
    {
        Outputs = outputs;
        Inputs = inputs;
        SourceType = sourceType;
        _buffer = new NativeBuffer((long)outputs * inputs * sizeof(float));
    }

    /// <summary>Length of a result row.</summary>
    public int Outputs { get; }

    /// <summary>Length of an activation row.</summary>
    public int Inputs { get; }

    /// <summary>Bytes of native memory held.</summary>
    public long ByteLength => _buffer.ByteLength;

    /// <summary>Type of the tensor it was packed from.</summary>
    public ElementType SourceType { get; }

    /// <summary>Packs a weight of shape [outputs, inputs].</summary>
    /// <param name="weight">F32, F16, BF16, Q8_0, Q4_0 or Q4_1.</param>
    /// <param name="arithmetic">How products with a quantised weight are computed.</param>
    /// <param name="rowOrder">When given, packed row i is the weight's row <c>rowOrder[i]</c>.</param>
    public static PackedMatrix Pack(Tensor weight, Arithmetic arithmetic, ReadOnlySpan<int> rowOrder = default)
    {
        ArgumentNullException.ThrowIfNull(weight);
        if (weight.Shape.Length != 2)
        {
            throw new ArgumentException($"{weight} is not a matrix", nameof(weight));
        }

        var packed = new PackedMatrix(rowOrder.IsEmpty ? checked((int)weight.Shape[0]) : rowOrder.Length, checked((int)weight.Shape[1]), weight.Type);
        for (int row = 0; row < packed.Outputs; row++)
        {
            weight.CopyRow(rowOrder.IsEmpty ? row : rowOrder[row], packed.Row(row));
        }

        return packed;
    }

    /// <summary>Packs row-major values [outputs, inputs] as float32.</summary>
    public static PackedMatrix FromFloats(ReadOnlySpan<float> values, int outputs, int inputs)
    {
        if (values.Length != (long)outputs * inputs)
        {
            throw new ArgumentException($"[{outputs}, {inputs}] needs {(long)outputs * inputs} values, not {values.Length}", nameof(values));
        }

        var packed = new PackedMatrix(outputs, inputs, ElementType.F32);
        values.CopyTo(new Span<float>(packed._buffer.Pointer, values.Length));
        return packed;
    }

    /// <summary>Writes the dequantised weights of one output.</summary>
    public void CopyRow(int output, Span<float> destination) => Row(output).CopyTo(destination);

    /// <inheritdoc />
    public void Dispose() => _buffer.Dispose();

    internal Span<float> Row(int output) => new((float*)_buffer.Pointer + ((long)output * Inputs), Inputs);
}
