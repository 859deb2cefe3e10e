namespace LoraServe.Adapters.LinearAlgebra;

/// <summary>NF4: 16 quantiles of the normal distribution, scaled to the greatest magnitude of each block of 64 (Dettmers et al., QLoRA, appendix E).</summary>
internal static class Nf4
{
    private const int BlockSize = 64;

    private static readonly float[] s_levels =
    [
        -1.0f, -0.6961928009986877f, -0.5250730514526367f, -0.39491748809814453f,
        -0.28444138169288635f, -0.18477343022823334f, -0.09105003625154495f, 0.0f,
        0.07958029955625534f, 0.16093020141124725f, 0.24611230194568634f, 0.33791524171829224f,
        0.44070982933044434f, 0.5626170039176941f, 0.7229568362236023f, 1.0f,
    ];

    /// <summary>Rounds every value to its nearest level; blocks run over the flat array.</summary>
    public static float[] Round(ReadOnlySpan<float> values)
    {
        float[] rounded = new float[values.Length];
        for (int start = 0; start < values.Length; start += BlockSize)
        {
            ReadOnlySpan<float> block = values.Slice(start, Math.Min(BlockSize, values.Length - start));
            float greatest = 0;
            foreach (float value in block)
            {
                greatest = Math.Max(greatest, Math.Abs(value));
            }

            for (int i = 0; i < block.Length; i++)
            {
                rounded[start + i] = greatest == 0 ? 0 : Nearest(block[i] / greatest) * greatest;
            }
        }

        return rounded;
    }

    private static float Nearest(float value)
    {
        float nearest = s_levels[0];
        foreach (float level in s_levels)
        {
            if (Math.Abs(value - level) < Math.Abs(value - nearest))
            {
                nearest = level;
            }
        }

        return nearest;
    }
}
