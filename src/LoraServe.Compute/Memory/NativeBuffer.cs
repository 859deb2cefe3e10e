using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace LoraServe.Compute.Memory;

/// <summary>Owns zeroed native memory aligned to a cache line (64 bytes).</summary>
public sealed unsafe partial class NativeBuffer : IDisposableMemory
{
    private const int Alignment = 64;
    private const int CacheLine = 64;
    private const int HugePage = 2 << 20;
    private const int AdviseHugePages = 14;
    private static long s_allocatedBytes;
    private static long s_scratchBytes;
    private readonly bool _isScratch;

    /// <summary>Allocates <paramref name="byteLength"/> zeroed bytes.</summary>
    /// <param name="byteLength">Size in bytes.</param>
    /// <param name="isScratch">Whether it is working memory that grows to the most that was ever needed and stays: see <see cref="ScratchBytes"/>.</param>
    /// <exception cref="OutOfMemoryException">The machine has not that much memory.</exception>
    public NativeBuffer(long byteLength, bool isScratch = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(byteLength);
        _isScratch = isScratch;
        ByteLength = byteLength;
        bool isHuge = byteLength >= HugePage && OperatingSystem.IsLinux();
        Pointer = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(byteLength, 1), (nuint)(isHuge ? HugePage : Alignment));
        if (isHuge)
        {
            // Spares address translations where blocks lie far apart. Advice: whether it is taken changes nothing else.
            _ = Advise(Pointer, (nuint)byteLength, AdviseHugePages);
        }

        NativeMemory.Clear(Pointer, (nuint)byteLength);
        Count(byteLength);
    }

    /// <summary>Frees the memory of a buffer that nobody disposed.</summary>
    ~NativeBuffer() => Free();

    /// <summary>Bytes that live buffers of this process hold, scratch included.</summary>
    public static long AllocatedBytes => Interlocked.Read(ref s_allocatedBytes);

    /// <summary>Those of them that are scratch. How far it has grown depends on which thread did what, so leak tests compare the rest.</summary>
    public static long ScratchBytes => Interlocked.Read(ref s_scratchBytes);

    /// <summary>The first byte; null once disposed.</summary>
    public byte* Pointer { get; private set; }

    /// <summary>Size in bytes.</summary>
    public long ByteLength { get; }

    /// <inheritdoc />
    bool IDisposableMemory.IsDisposed => Pointer is null;

    /// <summary>Has the processor fetch bytes that will be read soon.</summary>
    public static void Prefetch(byte* start, long byteLength)
    {
        if (Sse.IsSupported)
        {
            for (byte* line = start; line < start + byteLength; line += CacheLine)
            {
                Sse.Prefetch0(line);
            }
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* address, nuint length, int advice);

    private void Free()
    {
        if (Pointer is not null)
        {
            NativeMemory.AlignedFree(Pointer);
            Pointer = null;
            Count(-ByteLength);
        }
    }

    private void Count(long bytes)
    {
        Interlocked.Add(ref s_allocatedBytes, bytes);
        if (_isScratch)
        {
            Interlocked.Add(ref s_scratchBytes, bytes);
        }
    }
}
