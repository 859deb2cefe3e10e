using System.Runtime.InteropServices;

namespace LoraServe.Adapters.Resident;

/// <summary>Keeps an array where it is until it is disposed of, so that kernels can read it.</summary>
internal sealed class PinnedArray(float[] values) : IDisposable
{
    private GCHandle _handle = GCHandle.Alloc(values, GCHandleType.Pinned);

    /// <summary>The first element.</summary>
    public nint Pointer => _handle.AddrOfPinnedObject();

    public void Dispose() => _handle.Free();
}
