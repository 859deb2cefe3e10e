using LoraServe.Compute.Tensors;

namespace LoraServe.Models.Conversion;

/// <summary>A stored tensor and what becomes of it.</summary>
/// <param name="Name">Its name in the new file.</param>
/// <param name="Stored">The tensor.</param>
/// <param name="Order">For each new row (of a vector: element) the stored one; empty where the order stays.</param>
/// <param name="IsMatrix">Whether it takes the type that was asked for; what does not stays as it is.</param>
internal sealed record TensorToEncode(string Name, Tensor Stored, int[] Order, bool IsMatrix = true)
{
    public TensorToEncode(string name, Tensor stored, bool IsMatrix = true)
        : this(name, stored, [], IsMatrix)
    {
    }

    /// <summary>Whether it is a linear map of a layer that others' forms of quantised checkpoints cover.</summary>
    public bool IsLayerMap { get; init; }

    /// <summary>GGUF's name of it, by which importance is found.</summary>
    public string GgufName { get; init; } = Name;

    /// <summary>Which of the matrices of GGUF's tensor it is; −1: all of them.</summary>
    public int Expert { get; init; } = -1;
}
