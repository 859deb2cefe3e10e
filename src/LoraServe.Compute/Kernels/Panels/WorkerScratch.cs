using LoraServe.Compute.Memory;

namespace LoraServe.Compute.Kernels.Panels;

/// <summary>Memory of each thread's own for widened panels; grows to the largest wanted and stays.</summary>
internal static unsafe class WorkerScratch
{
    [ThreadStatic]
    private static NativeBuffer? s_buffer;

    /// <summary>At least <paramref name="byteLength"/> bytes, valid until the thread's next call.</summary>
    public static byte* Rent(long byteLength)
    {
        if (s_buffer is null || s_buffer.ByteLength < byteLength)
        {
            s_buffer?.Dispose();
            s_buffer = new NativeBuffer(byteLength, isScratch: true);
        }

        return s_buffer.Pointer;
    }
}
