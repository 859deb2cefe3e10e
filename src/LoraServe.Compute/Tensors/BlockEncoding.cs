using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace LoraServe.Compute.Tensors;

/// <summary>Writes blocks of ggml's quantised types.</summary>
internal static class BlockEncoding
{
    private const int Group = CodeForm.GroupElements;
    private const int KBlock = Group * CodeForm.BlockGroups;
    private const int Run = Group / 2;

    private delegate void BlockWriter(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, Span<byte> block);

    /// <remarks>The scale is that of the greatest value, whatever the others count.</remarks>
    public static void WriteQ8_0(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, Span<byte> destination)
    {
        int bytes = BlockBytes(values, destination, Group);
        for (int start = 0; start < values.Length; start += Group, destination = destination[bytes..])
        {
            Q8_0(values.Slice(start, Group), destination[..bytes]);
        }
    }

    public static void WriteQ4_0(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, Span<byte> destination) => Write(values, importance, destination, Group, Q4_0);

    public static void WriteQ4_1(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, Span<byte> destination) => Write(values, importance, destination, Group, Q4_1);

    public static void WriteQ4_K(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, Span<byte> destination) => Write(values, importance, destination, KBlock, Q4_K);

    public static void WriteQ6_K(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, Span<byte> destination) => Write(values, importance, destination, KBlock, Q6_K);

    // An error counts by the value's importance, and more at values that stand out of their block: they move more of the output.
    private static void Write(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, Span<byte> destination, int elements, BlockWriter write)
    {
        int bytes = BlockBytes(values, destination, elements);
        Span<float> weights = stackalloc float[elements];
        for (int start = 0; start < values.Length; start += elements, destination = destination[bytes..])
        {
            ReadOnlySpan<float> block = values.Slice(start, elements);
            float square = 0;
            foreach (float value in block)
            {
                square += value * value;
            }

            float typical = 2 * square / elements;
            for (int i = 0; i < elements; i++)
            {
                weights[i] = (importance.IsEmpty ? 1 : importance[start + i]) * MathF.Sqrt(typical + (block[i] * block[i]));
            }

            write(block, weights, destination[..bytes]);
        }
    }

    private static int BlockBytes(ReadOnlySpan<float> values, Span<byte> destination, int elements) => values.IsEmpty ? 0 : destination.Length / (values.Length / elements);

    private static void Q8_0(ReadOnlySpan<float> values, Span<byte> block)
    {
        float extreme = 0;
        foreach (float value in values)
        {
            extreme = Math.Max(extreme, Math.Abs(value));
        }

        float scale = extreme / 127;
        float inverse = scale == 0 ? 0 : 1 / scale;
        Store(block, 0, scale);
        for (int i = 0; i < Group; i++)
        {
            block[2 + i] = (byte)(sbyte)Math.Clamp(MathF.Round(values[i] * inverse, MidpointRounding.AwayFromZero), -127, 127);
        }
    }

    private static void Q4_0(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, Span<byte> block)
    {
        Span<byte> codes = stackalloc byte[Group];
        float scale = Store(block, 0, ScaleFit.Symmetric(values, weights, -8));
        Round(values, scale, 0, 8, 15, codes);
        Pack(codes, block[2..]);
    }

    private static void Q4_1(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, Span<byte> block)
    {
        Span<byte> codes = stackalloc byte[Group];
        (float fittedScale, float fittedMinimum) = ScaleFit.Affine(values, weights, 15, isBelowZero: false);
        float scale = Store(block, 0, fittedScale);
        float minimum = Store(block, 2, fittedMinimum);
        Round(values, scale, minimum, 0, 15, codes);
        Pack(codes, block[4..]);
    }

    private static void Q4_K(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, Span<byte> block)
    {
        const int MostFactor = 63;
        Span<float> scales = stackalloc float[CodeForm.BlockGroups];
        Span<float> minima = stackalloc float[CodeForm.BlockGroups];
        float mostScale = 0;
        float mostMinimum = 0;
        for (int group = 0; group < scales.Length; group++)
        {
            (float scale, float minimum) = ScaleFit.Affine(values.Slice(group * Group, Group), weights.Slice(group * Group, Group), 15, isBelowZero: true);
            (scales[group], minima[group]) = (scale, -minimum);
            mostScale = Math.Max(mostScale, scale);
            mostMinimum = Math.Max(mostMinimum, -minimum);
        }

        float blockScale = Store(block, 0, mostScale / MostFactor);
        float blockMinimum = Store(block, 2, mostMinimum / MostFactor);
        Span<byte> codes = stackalloc byte[Group];
        Span<byte> pairs = block[16..];
        block[4..].Clear();
        for (int group = 0; group < scales.Length; group++)
        {
            int scale = Factor(scales[group], blockScale, 0, MostFactor);
            int minimum = Factor(minima[group], blockMinimum, 0, MostFactor);
            PackSixBits(block[4..], group, scale, minimum);
            Round(values.Slice(group * Group, Group), blockScale * scale, -(blockMinimum * minimum), 0, 15, codes);
            Span<byte> of = pairs.Slice(group / 2 * Group, Group);
            for (int i = 0; i < Group; i++)
            {
                of[i] |= (byte)(codes[i] << (4 * (group % 2)));
            }
        }
    }

    private static void Q6_K(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, Span<byte> block)
    {
        const int Zero = 32;
        Span<float> scales = stackalloc float[KBlock / Run];
        float most = 0;
        for (int run = 0; run < scales.Length; run++)
        {
            scales[run] = ScaleFit.Symmetric(values.Slice(run * Run, Run), weights.Slice(run * Run, Run), -Zero);
            most = Math.Max(most, Math.Abs(scales[run]));
        }

        block.Clear();
        float blockScale = Store(block, 208, most / 127);
        Span<byte> codes = stackalloc byte[Run];
        for (int run = 0; run < scales.Length; run++)
        {
            int factor = Factor(scales[run], blockScale, -128, 127);
            block[192 + run] = (byte)(sbyte)factor;
            Round(values.Slice(run * Run, Run), blockScale * factor, 0, Zero, (2 * Zero) - 1, codes);

            // Four groups of 32 share 64 bytes of nibbles and 32 bytes of upper bits, as KBlocks reads them.
            (int half, int group) = Math.DivRem(run / 2, 4);
            int place = run % 2 * Run;
            for (int i = 0; i < Run; i++)
            {
                block[(64 * half) + (Group * (group % 2)) + place + i] |= (byte)((codes[i] & 15) << (4 * (group / 2)));
                block[128 + (Group * half) + place + i] |= (byte)(codes[i] >> 4 << (2 * group));
            }
        }
    }

    private static void Round(ReadOnlySpan<float> values, float scale, float minimum, int zero, int most, Span<byte> codes)
    {
        for (int i = 0; i < values.Length; i++)
        {
            codes[i] = (byte)(scale == 0 ? zero : Math.Clamp(MathF.Round((values[i] - minimum) / scale) + zero, 0, most));
        }
    }

    private static int Factor(float value, float unit, int least, int most) => unit == 0 ? 0 : (int)Math.Clamp(MathF.Round(value / unit), least, most);

    // What is stored is what values are rounded with.
    private static float Store(Span<byte> block, int place, float value)
    {
        var half = (Half)value;
        MemoryMarshal.Write(block[place..], half);
        return (float)half;
    }

    private static void Pack(ReadOnlySpan<byte> codes, Span<byte> pairs) => (Vector128.Create(codes) | (Vector128.Create(codes[Run..]) << 4)).CopyTo(pairs);

    private static void PackSixBits(Span<byte> factors, int group, int scale, int minimum)
    {
        int place = group % 4;
        if (group < 4)
        {
            factors[place] |= (byte)scale;
            factors[4 + place] |= (byte)minimum;
            return;
        }

        factors[8 + place] = (byte)((scale & 15) | (minimum << 4));
        factors[place] |= (byte)(scale >> 4 << 6);
        factors[4 + place] |= (byte)(minimum >> 4 << 6);
    }
}
