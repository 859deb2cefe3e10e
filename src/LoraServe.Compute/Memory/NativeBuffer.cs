using System.Runtime.InteropServices;

namespace LoraServe.Compute.Memory;

/// <summary>Owns zeroed native memory aligned to a cache line (64 bytes).</summary>
public sealed unsafe class NativeBuffer : IDisposable
{
    private const int Alignment = 64;
    private static long s_allocatedBytes;

    /// <summary>Allocates <paramref name="byteLength"/> zeroed bytes.</summary>
    /// <exception cref="OutOfMemoryException">The machine has not that much memory.</exception>
    public NativeBuffer(long byteLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(byteLength);
        ByteLength = byteLength;
        Pointer = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(byteLength, 1), Alignment);
        NativeMemory.Clear(Pointer, (nuint)byteLength);
        Interlocked.Add(ref s_allocatedBytes, byteLength);
    }

    /// <summary>Frees the memory of a buffer that nobody disposed.</summary>
    ~NativeBuffer() => Free();

    /// <summary>Bytes that live buffers of this process hold: what leak tests compare.</summary>
    public static long AllocatedBytes => Interlocked.Read(ref s_allocatedBytes);

    /// <summary>The first byte; null once disposed.</summary>
    public byte* Pointer { get; private set; }

    /// <summary>Size in bytes.</summary>
    public long ByteLength { get; }

    /// <inheritdoc />
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (Pointer is not null)
        {
            NativeMemory.AlignedFree(Pointer);
            Pointer = null;
            Interlocked.Add(ref s_allocatedBytes, -ByteLength);
        }
    }
}
