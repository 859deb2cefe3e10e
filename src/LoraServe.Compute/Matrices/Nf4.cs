using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LoraServe.Compute.Matrices;

/// <summary>NF4: 16 quantiles of the normal distribution, scaled to the greatest magnitude of each block of values (Dettmers et al., QLoRA, appendix E).</summary>
public static class Nf4
{
    /// <summary>Values that share a scale unless something else is asked for.</summary>
    public const int DefaultBlockSize = 64;

    /// <summary>The values of the 16 codes, ascending from −1 to 1.</summary>
    public static ReadOnlySpan<float> Levels =>
    [
        -1.0f, -0.6961928009986877f, -0.5250730514526367f, -0.39491748809814453f,
        -0.28444138169288635f, -0.18477343022823334f, -0.09105003625154495f, 0.0f,
        0.07958029955625534f, 0.16093020141124725f, 0.24611230194568634f, 0.33791524171829224f,
        0.44070982933044434f, 0.5626170039176941f, 0.7229568362236023f, 1.0f,
    ];

    private const int ZeroCode = 7;

    // Shares of the greatest magnitude that are tried as a scale where errors count differently.
    private const int Candidates = 12;
    private const float Step = 0.025f;

    /// <summary>Rounds every value to its nearest level times its block's scale; blocks run over the flat array.</summary>
    public static float[] Round(ReadOnlySpan<float> values)
    {
        byte[] codes = new byte[values.Length];
        float[] scales = new float[BlockCount(values.Length, DefaultBlockSize)];
        Quantize(values, DefaultBlockSize, codes, scales);
        float[] rounded = new float[values.Length];
        for (int i = 0; i < rounded.Length; i++)
        {
            rounded[i] = Levels[codes[i]] * scales[i / DefaultBlockSize];
        }

        return rounded;
    }

    /// <summary>Writes the codes of a block's values, one a byte, and returns their scale: the greatest magnitude, as bitsandbytes has it, or what errors count least with.</summary>
    /// <param name="values">The block, finite.</param>
    /// <param name="importance">How much a squared error of each value counts; empty: the scale is the greatest magnitude.</param>
    /// <param name="codes">Gets the codes.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static float QuantizeBlock(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, Span<byte> codes)
    {
        if (codes.Length != values.Length || (!importance.IsEmpty && importance.Length != values.Length))
        {
            throw new ArgumentException($"{values.Length} values have {codes.Length} codes and {importance.Length} importances", nameof(codes));
        }

        float best = GreatestMagnitude(values);
        Encode(values, best, codes);
        if (importance.IsEmpty || best == 0)
        {
            return best;
        }

        // A smaller scale cuts off what stands out, and is nearer to the rest.
        float greatest = best;
        double least = Error(values, importance, codes, best);
        Span<byte> tried = codes.Length <= DefaultBlockSize ? stackalloc byte[codes.Length] : new byte[codes.Length];
        for (int candidate = 1; candidate <= Candidates; candidate++)
        {
            Encode(values, greatest * (1 - (Step * candidate)), tried);
            float scale = Fit(values, importance, tried);
            double error = Error(values, importance, tried, scale);
            if (scale > 0 && error < least)
            {
                (least, best) = (error, scale);
            }
        }

        Encode(values, best, codes);
        return best;
    }

    /// <summary>Blocks of <paramref name="blockSize"/> that hold <paramref name="count"/> values; the last may be short.</summary>
    internal static int BlockCount(long count, int blockSize) => checked((int)((count + blockSize - 1) / blockSize));

    /// <summary>Writes each value's code, one a byte, and each block's greatest magnitude.</summary>
    internal static void Quantize(ReadOnlySpan<float> values, int blockSize, Span<byte> codes, Span<float> scales)
    {
        for (int block = 0; block < scales.Length; block++)
        {
            int start = block * blockSize;
            int count = Math.Min(blockSize, values.Length - start);
            scales[block] = QuantizeBlock(values.Slice(start, count), [], codes.Slice(start, count));
        }
    }

    private static float GreatestMagnitude(ReadOnlySpan<float> values)
    {
        float greatest = 0;
        foreach (float value in values)
        {
            greatest = Math.Max(greatest, Math.Abs(value));
        }

        return greatest;
    }

    // The least squares' scale for given codes.
    private static float Fit(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, ReadOnlySpan<byte> codes)
    {
        double product = 0;
        double square = 0;
        for (int i = 0; i < values.Length; i++)
        {
            double level = Levels[codes[i]];
            product += importance[i] * values[i] * level;
            square += importance[i] * level * level;
        }

        return square > 0 ? (float)(product / square) : 0;
    }

    private static double Error(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, ReadOnlySpan<byte> codes, float scale)
    {
        double sum = 0;
        for (int i = 0; i < values.Length; i++)
        {
            double error = values[i] - (Levels[codes[i]] * scale);
            sum += importance[i] * error * error;
        }

        return sum;
    }

    private static void Encode(ReadOnlySpan<float> values, float scale, Span<byte> codes)
    {
        if (scale == 0)
        {
            codes.Fill(ZeroCode);
            return;
        }

        Span<float> lanes = stackalloc float[Vector256<float>.Count];
        for (; values.Length > 0; values = values[Math.Min(values.Length, lanes.Length)..], codes = codes[Math.Min(codes.Length, lanes.Length)..])
        {
            int count = Math.Min(values.Length, lanes.Length);
            values[..count].CopyTo(lanes);
            Vector256<int> nearest = Nearest(Vector256.Create<float>(lanes) / Vector256.Create(scale));
            for (int i = 0; i < count; i++)
            {
                codes[i] = (byte)nearest[i];
            }
        }
    }

    // The lower of two levels that are equally near.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Nearest(Vector256<float> values)
    {
        Vector256<int> nearest = default;
        Vector256<float> least = Vector256.Create(float.PositiveInfinity);
        for (int code = 0; code < Levels.Length; code++)
        {
            Vector256<float> distance = Vector256.Abs(values - Vector256.Create(Levels[code]));
            Vector256<int> nearer = Vector256.LessThan(distance, least).AsInt32();
            nearest = Vector256.ConditionalSelect(nearer, Vector256.Create(code), nearest);
            least = Vector256.Min(least, distance);
        }

        return nearest;
    }
}
