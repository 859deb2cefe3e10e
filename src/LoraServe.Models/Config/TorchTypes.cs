using LoraServe.Compute.Tensors;

namespace LoraServe.Models.Config;

/// <summary>PyTorch's names of types, as configurations have them.</summary>
internal static class TorchTypes
{
    /// <summary>The name; of what is no 16-bit type that of float32, to which it is widened.</summary>
    public static string TorchName(this ElementType type) => type switch { ElementType.F16 => "float16", ElementType.BF16 => "bfloat16", _ => "float32" };
}
