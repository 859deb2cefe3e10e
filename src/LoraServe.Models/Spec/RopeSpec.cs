using System.Collections.Immutable;

namespace LoraServe.Models.Spec;

/// <summary>Rotary position embedding: which angle per position each pair of a head's elements turns by.</summary>
/// <remarks>
/// Element i of a head pairs with element i + Size / 2, and what comes after the first Size elements is not turned. Frequencies are computed in float32 in the order of
/// transformers' modeling_rope_utils.py, since one rounding more or less shows in logits at late positions.
/// </remarks>
public sealed record RopeSpec
{
    /// <summary>The kind of stretching.</summary>
    public RopeScaling Scaling { get; init; }

    /// <summary>Base of the geometric series of wave lengths.</summary>
    public required double Theta { get; init; }

    /// <summary>How many of a head's elements are turned, the first ones; 0 for all.</summary>
    public int Size { get; init; }

    /// <summary>By how much the context is stretched; at least 1 in practice.</summary>
    public double Factor { get; init; } = 1;

    /// <summary>Context of pretraining, in tokens; what Dynamic, Yarn and Llama3 count from.</summary>
    public int OriginalContext { get; init; }

    /// <summary>Factor of sine and cosine; sharpens attention for Yarn.</summary>
    public float AttentionFactor { get; init; } = 1;

    /// <summary>Yarn: turns over the original context above which a frequency is kept.</summary>
    public double BetaFast { get; init; } = 32;

    /// <summary>Yarn: turns over the original context below which a frequency is fully interpolated.</summary>
    public double BetaSlow { get; init; } = 1;

    /// <summary>Yarn: whether the borders of the ramp between the two are rounded to whole frequencies.</summary>
    public bool Truncate { get; init; } = true;

    /// <summary>Llama3: wave lengths above the original context divided by this are interpolated.</summary>
    public double LowFrequencyFactor { get; init; } = 1;

    /// <summary>Llama3: wave lengths below the original context divided by this are kept.</summary>
    public double HighFrequencyFactor { get; init; } = 4;

    /// <summary>A divisor for each frequency: what Llama3 scaling comes to, as GGUF stores it, or LongRope's within the original context; empty where there is none.</summary>
    public ImmutableArray<float> Divisors { get; init; } = [];

    /// <summary>LongRope: the divisors beyond the original context.</summary>
    public ImmutableArray<float> LongDivisors { get; init; } = [];

    /// <summary>Whether frequencies change with the length of the sequence; they do only beyond <see cref="OriginalContext"/>.</summary>
    public bool DependsOnLength => Scaling is RopeScaling.Dynamic or RopeScaling.LongRope;

    /// <summary>Elements of a head that are turned.</summary>
    public int Turned(int headSize) => Size == 0 ? headSize : Size;

    /// <summary>Computes the angle per position, in radians, of each pair.</summary>
    /// <param name="length">Length of the sequence in tokens; matters only where <see cref="DependsOnLength"/>.</param>
    /// <param name="frequencies">Half as many values as elements are turned.</param>
    public void InverseFrequencies(int length, Span<float> frequencies)
    {
        switch (Scaling)
        {
            case RopeScaling.Dynamic:
                Geometric(DynamicTheta(length, frequencies.Length * 2), frequencies);
                break;
            case RopeScaling.Yarn:
                Yarn(frequencies);
                break;
            case RopeScaling.LongRope:
                Divided(length > OriginalContext ? LongDivisors : Divisors, frequencies);
                return;
            default:
                Geometric((float)Theta, frequencies);
                break;
        }

        for (int i = 0; i < frequencies.Length; i++)
        {
            float scaled = Scaling switch
            {
                RopeScaling.Linear => frequencies[i] / (float)Factor,
                RopeScaling.Llama3 => Llama3(frequencies[i]),
                _ => frequencies[i],
            };
            frequencies[i] = Divisors.IsEmpty ? scaled : scaled / Divisors[i];
        }
    }

    private static void Geometric(float theta, Span<float> frequencies)
    {
        for (int i = 0; i < frequencies.Length; i++)
        {
            frequencies[i] = 1 / MathF.Pow(theta, 2 * i / (float)(frequencies.Length * 2));
        }
    }

    private void Divided(ImmutableArray<float> divisors, Span<float> frequencies)
    {
        for (int i = 0; i < frequencies.Length; i++)
        {
            frequencies[i] = 1 / (divisors[i] * MathF.Pow((float)Theta, 2 * i / (float)(frequencies.Length * 2)));
        }
    }

    private float DynamicTheta(int length, int headSize)
    {
        if (length <= OriginalContext)
        {
            return (float)Theta;
        }

        float growth = ((float)Factor * length / OriginalContext) - (float)(Factor - 1);
        return (float)Theta * MathF.Pow(growth, (float)(headSize / (double)(headSize - 2)));
    }

    private float Llama3(float frequency)
    {
        float waveLength = 1 / frequency * (float)(2 * Math.PI);
        if (waveLength > (float)(OriginalContext / LowFrequencyFactor))
        {
            return frequency / (float)Factor;
        }

        if (waveLength < (float)(OriginalContext / HighFrequencyFactor))
        {
            return frequency;
        }

        float smooth = ((1 / waveLength * OriginalContext) - (float)LowFrequencyFactor) / (float)(HighFrequencyFactor - LowFrequencyFactor);
        return ((1 - smooth) * frequency / (float)Factor) + (smooth * frequency);
    }

    private void Yarn(Span<float> frequencies)
    {
        int headSize = frequencies.Length * 2;
        double low = CorrectionDimension(BetaFast, headSize);
        double high = CorrectionDimension(BetaSlow, headSize);
        if (Truncate)
        {
            (low, high) = (Math.Floor(low), Math.Ceiling(high));
        }

        (low, high) = (Math.Max(low, 0), Math.Min(high, headSize - 1));
        if (low == high)
        {
            high += 0.001; // the ramp must not divide by zero
        }

        for (int i = 0; i < frequencies.Length; i++)
        {
            float period = MathF.Pow((float)Theta, 2 * i / (float)headSize);
            float extrapolated = 1 / period;
            float interpolated = 1 / ((float)Factor * period);
            float keep = 1 - Math.Clamp((i - (float)low) / (float)(high - low), 0, 1);
            frequencies[i] = (interpolated * (1 - keep)) + (extrapolated * keep);
        }
    }

    /// <summary>The frequency, as a fractional index, that makes <paramref name="turns"/> turns over the original context.</summary>
    private double CorrectionDimension(double turns, int headSize) =>
        headSize * Math.Log(OriginalContext / (turns * 2 * Math.PI)) / (2 * Math.Log(Theta));
}
