using LoraServe.Compute.Memory;

namespace LoraServe.Torch.Native;

/// <summary>Rows of a device in this machine's memory.</summary>
internal static unsafe class HostRows
{
    /// <summary>Copies some rows, as float32, to their places among all.</summary>
    /// <param name="all">[rows, width].</param>
    /// <param name="first">The first.</param>
    /// <param name="count">How many; at least one.</param>
    /// <param name="buffer">Memory for all, made or made larger where needed.</param>
    public static Rows Fetch(Tensor all, int first, int count, ref NativeBuffer? buffer)
    {
        int width = (int)all.shape[1];
        long bytes = all.shape[0] * width * sizeof(float);
        if (buffer is null || buffer.ByteLength < bytes)
        {
            buffer?.Dispose();
            buffer = new NativeBuffer(bytes, isScratch: true);
        }

        using DisposeScope scope = torch.NewDisposeScope();
        Tensor here = all.narrow(0, first, count).to(ScalarType.Float32).cpu().contiguous();
        float* place = (float*)buffer.Pointer + ((long)first * width);
        here.bytes.CopyTo(new Span<byte>(place, checked((int)((long)count * width * sizeof(float)))));
        return new Rows((nint)place, count, width, width);
    }
}
