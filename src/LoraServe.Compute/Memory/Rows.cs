namespace LoraServe.Compute.Memory;

/// <summary>A borrowed view of float32 rows in native memory: what kernels take and give.</summary>
/// <param name="Pointer">First element of the first row.</param>
/// <param name="Count">Number of rows.</param>
/// <param name="Width">Elements in a row.</param>
/// <param name="Stride">Elements from one row's start to the next; at least <paramref name="Width"/>.</param>
public readonly unsafe record struct Rows(nint Pointer, int Count, int Width, int Stride)
{
    /// <summary>The first element of row <paramref name="index"/>.</summary>
    public float* this[int index] => (float*)Pointer + ((long)index * Stride);

    /// <summary>Row <paramref name="index"/> as a span of <see cref="Width"/> elements.</summary>
    public Span<float> Span(int index) => new(this[index], Width);

    /// <summary>Sets every element to 0.</summary>
    public void Clear()
    {
        for (int t = 0; t < Count; t++)
        {
            Span(t).Clear();
        }
    }

    /// <summary>The rows from <paramref name="first"/> on, <paramref name="count"/> of them.</summary>
    public Rows Slice(int first, int count) => this with { Pointer = (nint)this[first], Count = count };

    /// <summary>The columns from <paramref name="first"/> on, <paramref name="width"/> of them, of every row.</summary>
    public Rows Columns(int first, int width) => this with { Pointer = Pointer + ((nint)first * sizeof(float)), Width = width };
}
