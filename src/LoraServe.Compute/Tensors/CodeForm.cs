namespace LoraServe.Compute.Tensors;

/// <summary>How the whole numbers of a block type become values: value = scale · (code − <see cref="ZeroPoint"/>), or scale · code + minimum.</summary>
/// <param name="Bits">Bits of a code, which counts from zero: 4 or 8.</param>
/// <param name="HasMinimum">Whether a group has a minimum rather than a fixed zero point.</param>
/// <param name="ScaleBytes">Bytes that hold a group's scale, and its minimum, exactly: 2 (half precision) or 4.</param>
internal readonly record struct CodeForm(int Bits, bool HasMinimum = false, int ScaleBytes = 2)
{
    /// <summary>Consecutive values of a row that share a scale.</summary>
    public const int GroupElements = 32;

    /// <summary>The code of zero, where there is no minimum.</summary>
    public int ZeroPoint => HasMinimum ? 0 : 1 << (Bits - 1);

    /// <summary>Turns a group's codes into values; each product and sum is one float32 operation.</summary>
    public void Decode(ReadOnlySpan<byte> codes, float scale, float minimum, Span<float> values)
    {
        int zero = ZeroPoint;
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = scale * (codes[i] - zero);
        }

        if (HasMinimum)
        {
            for (int i = 0; i < values.Length; i++)
            {
                values[i] += minimum;
            }
        }
    }
}
