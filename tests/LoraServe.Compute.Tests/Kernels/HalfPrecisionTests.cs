using LoraServe.Compute.Kernels;

namespace LoraServe.Compute.Tests.Kernels;

public unsafe class HalfPrecisionTests
{
    [Fact]
    public void Widen_EveryFiniteNumber_EqualsTheConversionOfTheRuntime()
    {
        float* wide = stackalloc float[16];
        ushort* half = stackalloc ushort[16];
        for (int bits = 0; bits < 0x7C00; bits += 8)
        {
            for (int i = 0; i < 16; i++)
            {
                half[i] = (ushort)((bits + (i / 2)) | (i % 2 << 15));
            }

            HalfPrecision.Widen(half, wide, 16);
            for (int i = 0; i < 16; i++)
            {
                Assert.Equal((float)BitConverter.UInt16BitsToHalf(half[i]), wide[i]);
            }
        }
    }

    [Fact]
    public void Narrow_RandomNumbers_EqualsTheConversionOfTheRuntime()
    {
        var random = new Random(1);
        float* wide = stackalloc float[8];
        ushort* half = stackalloc ushort[8];
        for (int round = 0; round < 5000; round++)
        {
            for (int i = 0; i < 8; i++)
            {
                wide[i] = (random.NextSingle() - 0.5f) * MathF.Pow(2, random.Next(-27, 17));
            }

            HalfPrecision.Narrow(wide, half, 8);
            for (int i = 0; i < 8; i++)
            {
                Assert.Equal((Half)wide[i], BitConverter.UInt16BitsToHalf(half[i]));
            }
        }
    }

    [Fact]
    public void Narrow_BeyondTheRange_GivesTheLargestNumber()
    {
        float* wide = stackalloc float[8] { 65_504, 65_536, -1e30f, float.PositiveInfinity, float.NaN, 0, -0f, 1e-30f };
        ushort* half = stackalloc ushort[8];
        HalfPrecision.Narrow(wide, half, 8);
        Assert.Equal(
            [65_504f, 65_504f, -65_504f, 65_504f],
            new ReadOnlySpan<ushort>(half, 4).ToArray().Select(bits => (float)BitConverter.UInt16BitsToHalf(bits)));
        Assert.Equal(65_504f, Math.Abs((float)BitConverter.UInt16BitsToHalf(half[4])));
        Assert.Equal(new ushort[] { 0, 0x8000, 0 }, new ReadOnlySpan<ushort>(half + 5, 3).ToArray());
    }
}
