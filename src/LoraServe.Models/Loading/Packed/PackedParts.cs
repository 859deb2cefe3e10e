using LoraServe.Compute.Tensors;
using LoraServe.Models.Config;

namespace LoraServe.Models.Loading.Packed;

/// <summary>Tensors of a checkpoint by name, of which packed weights are put together; every one is checked as it is taken.</summary>
/// <param name="tensors">By name.</param>
/// <param name="location">The checkpoint, for messages.</param>
internal sealed class PackedParts(IReadOnlyDictionary<string, Tensor> tensors, string location)
{
    /// <summary>The tensor; null where there is none.</summary>
    public Tensor? Find(string name) => tensors.GetValueOrDefault(name);

    /// <summary>The tensor with a type and exactly this shape.</summary>
    public Tensor Get(string name, Predicate<ElementType> type, string typeName, params ReadOnlySpan<long> shape)
    {
        Tensor tensor = Find(name) ?? throw new ModelFormatException(location, $"tensor '{name}' is missing; expected {typeName} {Text(shape)}. Download the model again");
        return type(tensor.Type) && tensor.Shape.AsSpan().SequenceEqual(shape) ? tensor : throw Wrong(tensor, $"{typeName} {Text(shape)}");
    }

    /// <summary>Floating-point numbers of exactly this shape, all finite.</summary>
    public float[] Floats(string name, params ReadOnlySpan<long> shape)
    {
        Tensor tensor = Get(name, type => !type.IsInteger(), "floating-point numbers", shape);
        float[] values = tensor.ToFloats();
        return Array.TrueForAll(values, float.IsFinite) ? values : throw Wrong(tensor, "finite numbers");
    }

    /// <summary>Bytes of exactly this shape.</summary>
    public unsafe ReadOnlySpan<byte> Bytes(string name, params ReadOnlySpan<long> shape)
    {
        Tensor tensor = Get(name, type => type is ElementType.U8 or ElementType.I8, "bytes", shape);
        return new ReadOnlySpan<byte>((void*)tensor.Data, checked((int)tensor.ByteLength));
    }

    /// <summary>Integers of 32 bits of exactly this shape.</summary>
    public unsafe ReadOnlySpan<uint> Words(string name, params ReadOnlySpan<long> shape)
    {
        Tensor tensor = Get(name, type => type == ElementType.I32, "I32", shape);
        return new ReadOnlySpan<uint>((void*)tensor.Data, checked((int)tensor.ElementCount));
    }

    /// <summary>The refusal of a tensor.</summary>
    public ModelFormatException Wrong(Tensor tensor, string expected) => new(location, $"tensor {tensor} does not fit the rest of its weight; expected {expected}. Download the model again");

    /// <summary>A tensor of float32 for a weight, or of the 16-bit type that its values are of.</summary>
    public static Tensor Weight(string path, float[] values, long outputs, long inputs) => Tensor.OverFloats($"{path}.weight", values, outputs, inputs);

    private static string Text(ReadOnlySpan<long> shape) => $"[{string.Join(", ", shape.ToArray())}]";
}
