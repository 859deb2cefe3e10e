using System.Runtime.InteropServices;
using LoraServe.Compute.Tensors;

namespace LoraServe.Adapters.Gradients;

/// <summary>A tensor that is trained, with the gradient of the step's loss.</summary>
public sealed class Parameter
{
    /// <summary>Takes over <paramref name="values"/>.</summary>
    /// <param name="name">Its name in the file that the method is saved in.</param>
    /// <param name="shape">Outermost dimension first.</param>
    /// <param name="values">Row-major elements.</param>
    /// <exception cref="ArgumentException">The shape has not that many elements.</exception>
    public Parameter(string name, int[] shape, float[] values)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(values);
        if (shape.Aggregate(1L, (product, length) => product * length) != values.LongLength)
        {
            throw new ArgumentException($"{name}: {values.LongLength} values do not fill [{string.Join(", ", shape)}].", nameof(values));
        }

        Name = name;
        Shape = shape;
        Values = values;
        Gradient = GC.AllocateArray<float>(values.Length, pinned: true);
    }

    /// <summary>Its name in the file that the method is saved in.</summary>
    public string Name { get; }

    /// <summary>Outermost dimension first.</summary>
    public IReadOnlyList<int> Shape { get; }

    /// <summary>Row-major elements; the optimizer changes them in place.</summary>
    public float[] Values { get; }

    /// <summary>Derivative of the loss by each element; summed up over a step's batches. It does not move, so kernels can write to it.</summary>
    public float[] Gradient { get; }

    /// <summary>Factor of the learning rate, such as LoRA+'s ratio for B.</summary>
    public float RateFactor { get; set; } = 1;

    /// <summary>Whether weight decay acts on it.</summary>
    public bool Decays { get; init; } = true;

    /// <summary>The same values under another name, for a file that has them twice.</summary>
    internal Parameter Named(string name) => new(name, [.. Shape], Values);

    /// <summary>How a file has it: F32, or of the types of integers U8, I16 or I32.</summary>
    internal ElementType StoredAs { get; init; } = ElementType.F32;

    /// <summary>A copy of the values as a tensor of a file.</summary>
    internal Tensor ToTensor() => Tensor.FromBytes(Name, StoredAs, StoredAs switch
    {
        ElementType.U8 => Array.ConvertAll(Values, value => (byte)value),
        ElementType.I16 => MemoryMarshal.AsBytes(Array.ConvertAll(Values, value => (short)value).AsSpan()),
        ElementType.I32 => MemoryMarshal.AsBytes(Array.ConvertAll(Values, value => (int)value).AsSpan()),
        _ => MemoryMarshal.AsBytes(Values.AsSpan()),
    }, [.. Shape.Select(length => (long)length)]);
}
