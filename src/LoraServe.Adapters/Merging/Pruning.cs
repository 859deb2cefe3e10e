namespace LoraServe.Adapters.Merging;

/// <summary>Keeps a part of a tensor's values and clears the rest.</summary>
internal static class Pruning
{
    /// <summary>Keeps the greatest magnitudes, ⌊density · count⌋ of them.</summary>
    public static float[] ByMagnitude(ReadOnlySpan<float> values, double density)
    {
        float[] magnitudes = new float[values.Length];
        int[] order = new int[values.Length];
        for (int i = 0; i < values.Length; i++)
        {
            magnitudes[i] = -Math.Abs(values[i]);
            order[i] = i;
        }

        Array.Sort(magnitudes, order);
        float[] kept = new float[values.Length];
        foreach (int index in order.AsSpan(0, (int)(density * values.Length)))
        {
            kept[index] = values[index];
        }

        return kept;
    }

    /// <summary>Keeps what the mask keeps and divides it by the density, so that the expectation stays.</summary>
    public static float[] ByMask(ReadOnlySpan<float> values, bool[] keep, double density)
    {
        float[] kept = new float[values.Length];
        for (int i = 0; i < values.Length; i++)
        {
            kept[i] = keep[i] ? (float)(values[i] / density) : 0;
        }

        return kept;
    }
}
