using System.Runtime.InteropServices;
using LoraServe.Compute.Tensors;

namespace LoraServe.Compute.Tests.Matrices;

/// <summary>Seeded weights of every stored type.</summary>
internal static class RandomMatrix
{
    public static readonly ElementType[] Types = [.. ElementTypes.Weights];

    public static float[] Floats(int count, int seed)
    {
        var random = new Random(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = (float)((random.NextDouble() * 2) - 1);
        }

        return values;
    }

    /// <summary>The least width of at least <paramref name="inputs"/> that is whole blocks.</summary>
    public static int Width(ElementType type, int inputs) => (inputs + type.BlockElements() - 1) / type.BlockElements() * type.BlockElements();

    public static Tensor Create(ElementType type, int outputs, int inputs, int seed)
    {
        byte[] bytes = new byte[type.ByteLength((long)outputs * inputs)];
        var random = new Random(seed);
        switch (type)
        {
            case ElementType.F32:
                Floats(outputs * inputs, seed).CopyTo(MemoryMarshal.Cast<byte, float>(bytes.AsSpan()));
                break;
            case ElementType.F16:
                Half[] halves = [.. Floats(outputs * inputs, seed).Select(value => (Half)value)];
                MemoryMarshal.AsBytes(halves.AsSpan()).CopyTo(bytes);
                break;
            case ElementType.BF16:
                uint[] bits = [.. Floats(outputs * inputs, seed).Select(BitConverter.SingleToUInt32Bits)];
                ushort[] upper = [.. bits.Select(value => (ushort)(value >> 16))];
                MemoryMarshal.AsBytes(upper.AsSpan()).CopyTo(bytes);
                break;
            default:
                random.NextBytes(bytes);
                for (int block = 0; block < bytes.Length; block += type.BlockBytes())
                {
                    // Scales and minima of either sign, now and then zero or subnormal.
                    foreach (int half in StoredFormats.Of(type).Halves)
                    {
                        double value = (random.NextDouble() - 0.5) / 50;
                        value = random.Next(10) switch { 0 => 0, 1 => value / 10_000, _ => value };
                        MemoryMarshal.Write(bytes.AsSpan(block + half), (Half)value);
                    }
                }

                break;
        }

        return Tensor.FromBytes("weight", type, bytes, outputs, inputs);
    }
}
