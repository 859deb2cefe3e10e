using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LoraServe.Torch.Native;

/// <summary>The memory of tensors that lie in this machine's.</summary>
internal static class TensorMemory
{
    /// <summary>Address of the first element of a tensor on the processor, without gaps.</summary>
    public static unsafe nint Address(this Tensor tensor) => (nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(tensor.bytes));
}
