using LoraServe.Compute.Tensors;

namespace LoraServe.Models.Loading.Packed;

/// <summary>One way in which a checkpoint stores weights as several tensors: codes with their scales.</summary>
internal interface IPackedForm
{
    /// <summary>What the parts of a module's weight are called: the path and a dot, then one of these.</summary>
    IReadOnlyList<string> Parts { get; }

    /// <summary>Puts a module's weight together, [outputs, inputs].</summary>
    /// <param name="path">The module's path.</param>
    /// <param name="parts">Its tensors.</param>
    /// <returns>The weight; null where the module's weight is not stored so.</returns>
    /// <exception cref="Config.ModelFormatException">A part is missing or has another shape than the others ask for.</exception>
    Tensor? Read(string path, PackedParts parts);
}
