using LoraServe.Compute.Memory;

namespace LoraServe.Compute.Tests.Kernels;

/// <summary>Rows of random numbers in native memory for kernels to work on.</summary>
internal sealed unsafe class NativeRows : IDisposable
{
    private readonly NativeBuffer _buffer;

    public NativeRows(int count, int width, Random? random = null, float range = 1)
    {
        _buffer = new NativeBuffer((long)count * width * sizeof(float));
        View = new Rows((nint)_buffer.Pointer, count, width, width);
        if (random is not null)
        {
            foreach (ref float value in new Span<float>(_buffer.Pointer, count * width))
            {
                value = ((random.NextSingle() * 2) - 1) * range;
            }
        }
    }

    public Rows View { get; }

    public float* Pointer => (float*)_buffer.Pointer;

    public float[] ToArray() => new Span<float>(_buffer.Pointer, View.Count * View.Width).ToArray();

    public void Dispose() => _buffer.Dispose();
}
