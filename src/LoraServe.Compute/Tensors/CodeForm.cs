namespace LoraServe.Compute.Tensors;

/// <summary>How the whole numbers of a block type become values: value = scale · (code − <see cref="ZeroPoint"/>), or scale · code + minimum, or scale · level.</summary>
/// <param name="Bits">Bits of a code, which counts from zero: 2 to 6, or 8.</param>
/// <param name="HasMinimum">Whether a group has a minimum rather than a fixed zero point.</param>
/// <param name="ScaleBytes">Bytes that hold a block's scale, and its minimum, exactly: 2 (half precision) or 4.</param>
/// <param name="Factors">Runs of a group that have a factor each for the block's scale, and for its minimum: none, 1 or 2. With factors a block is <see cref="BlockGroups"/> groups, else one.</param>
/// <param name="HasLevels">Whether a code stands for one of <see cref="Iq4Blocks.Levels"/> rather than for a number.</param>
internal readonly record struct CodeForm(int Bits, bool HasMinimum = false, int ScaleBytes = 2, int Factors = 0, bool HasLevels = false)
{
    /// <summary>Consecutive values of a row that are read together.</summary>
    public const int GroupElements = 32;

    /// <summary>Groups of a block that has factors.</summary>
    public const int BlockGroups = 8;

    /// <summary>The code of zero, where there is neither minimum nor level.</summary>
    public int ZeroPoint => HasMinimum ? 0 : 1 << (Bits - 1);

    /// <summary>Consecutive values of a row that share a scale or its factors; a row is whole blocks.</summary>
    public int BlockElements => GroupElements * (Factors > 0 ? BlockGroups : 1);

    /// <summary>Whether kernels multiply numbers of 8 bits: levels are such.</summary>
    public bool HasBytes => Bits == 8 || HasLevels;

    /// <summary>Turns a group's codes into values; each product and sum is one float32 operation.</summary>
    public void Decode(ReadOnlySpan<byte> codes, in GroupScales scales, Span<float> values)
    {
        const int Half = GroupElements / 2;
        Decode(codes[..Half], scales.Scale * scales.Lower.Scale, scales.Minimum * scales.Lower.Minimum, values[..Half]);
        Decode(codes[Half..], scales.Scale * scales.Upper.Scale, scales.Minimum * scales.Upper.Minimum, values[Half..]);
    }

    private void Decode(ReadOnlySpan<byte> codes, float scale, float minimum, Span<float> values)
    {
        int zero = ZeroPoint;
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = scale * (HasLevels ? Iq4Blocks.Levels[codes[i]] : codes[i] - zero);
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
