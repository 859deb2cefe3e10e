using System.Runtime.InteropServices;

namespace LoraServe.Compute.Memory;

/// <summary>Keeps an array where it is, so that kernels can read it, until it is disposed of or forgotten.</summary>
public sealed class PinnedArray : IDisposable
{
    private GCHandle _handle;

    /// <summary>Pins <paramref name="values"/>.</summary>
    public PinnedArray(float[] values)
    {
        _handle = GCHandle.Alloc(values, GCHandleType.Pinned);
    }

    /// <summary>Lets go of an array that nobody let go of.</summary>
    ~PinnedArray() => Free();

    /// <summary>The first element.</summary>
    public nint Pointer => _handle.AddrOfPinnedObject();

    /// <inheritdoc />
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (_handle.IsAllocated)
        {
            _handle.Free();
        }
    }
}
