namespace LoraServe.Compute.Matrices;

/// <summary>Scales that are quantised themselves (QLoRA's double quantisation): scale = map[code] · maximum of its 256 + offset.</summary>
/// <remarks>The map is bitsandbytes' signed dynamic one of 8 bits: seven decades, each with twice the steps of the one below.</remarks>
public sealed class NestedScales
{
    /// <summary>Scales that share a maximum.</summary>
    public const int BlockSize = 256;

    private const float Steps = 65_535;

    private static readonly float[] s_map = CreateMap();

    private readonly byte[] _codes;
    private readonly float[] _maxima;

    /// <summary>Takes stored parts.</summary>
    /// <exception cref="ArgumentException">There are not as many maxima as blocks of codes.</exception>
    public NestedScales(ReadOnlySpan<byte> codes, ReadOnlySpan<float> maxima, float offset)
    {
        if (maxima.Length != Nf4.BlockCount(codes.Length, BlockSize))
        {
            throw new ArgumentException($"{codes.Length} scales have {Nf4.BlockCount(codes.Length, BlockSize)} blocks of {BlockSize}, not {maxima.Length}", nameof(maxima));
        }

        _codes = codes.ToArray();
        _maxima = maxima.ToArray();
        Offset = offset;
    }

    /// <summary>The values of the 256 codes, ascending from near −1 to 1.</summary>
    public static ReadOnlySpan<float> Map => s_map;

    /// <summary>A code for each scale.</summary>
    public ReadOnlySpan<byte> Codes => _codes;

    /// <summary>The greatest |scale − offset| of each block of 256.</summary>
    public ReadOnlySpan<float> Maxima => _maxima;

    /// <summary>The mean of the scales.</summary>
    public float Offset { get; }

    /// <summary>Quantises <paramref name="scales"/>.</summary>
    public static NestedScales Quantize(ReadOnlySpan<float> scales)
    {
        double sum = 0;
        foreach (float scale in scales)
        {
            sum += scale;
        }

        float offset = (float)(sum / Math.Max(scales.Length, 1));
        byte[] codes = new byte[scales.Length];
        float[] maxima = new float[Nf4.BlockCount(scales.Length, BlockSize)];
        for (int i = 0; i < scales.Length; i++)
        {
            maxima[i / BlockSize] = Math.Max(maxima[i / BlockSize], Math.Abs(scales[i] - offset));
        }

        for (int i = 0; i < scales.Length; i++)
        {
            float maximum = maxima[i / BlockSize];
            codes[i] = Nearest(maximum == 0 ? 0 : (scales[i] - offset) / maximum);
        }

        return new NestedScales(codes, maxima, offset);
    }

    /// <summary>The scales that the codes stand for.</summary>
    public float[] Decode()
    {
        float[] scales = new float[_codes.Length];
        for (int i = 0; i < scales.Length; i++)
        {
            float difference = s_map[_codes[i]] * _maxima[i / BlockSize];
            scales[i] = difference + Offset;
        }

        return scales;
    }

    private static byte Nearest(float value)
    {
        // bitsandbytes looks codes up by the value's step of 2⁻¹⁵, which can tip what lies between two entries.
        int step = (int)(((value + 1) * 0.5f * Steps) + 0.5f);
        value = (step / Steps * 2) - 1;
        int place = Array.BinarySearch(s_map, value);
        if (place >= 0)
        {
            return (byte)place;
        }

        // The first entry above; the one below is taken where it is at least as near.
        int above = Math.Clamp(~place, 1, s_map.Length - 1);
        return (byte)(Math.Abs(value - s_map[above]) < Math.Abs(value - s_map[above - 1]) ? above : above - 1);
    }

    private static float[] CreateMap()
    {
        const int Decades = 7;
        var map = new List<float> { 0, 1 };
        for (int decade = 0; decade < Decades; decade++)
        {
            int steps = 1 << decade;
            float unit = (float)Math.Pow(10, decade - Decades + 1);
            for (int step = 0; step < steps; step++)
            {
                float middle = (Boundary(step, steps) + Boundary(step + 1, steps)) / 2;
                map.Add(unit * middle);
                map.Add(-(unit * middle));
            }
        }

        map.Sort();
        return [.. map];

        // Counted from the nearer end and rounded once: the bits of the map that stored weights were made with.
        static float Boundary(int i, int steps)
        {
            float step = (1f - 0.1f) / steps;
            return i < (steps + 1) / 2 ? MathF.FusedMultiplyAdd(step, i, 0.1f) : MathF.FusedMultiplyAdd(-step, steps - i, 1f);
        }
    }
}
