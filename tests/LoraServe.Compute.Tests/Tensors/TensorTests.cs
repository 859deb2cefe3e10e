using LoraServe.Compute.Memory;
using LoraServe.Compute.Tensors;
using LoraServe.Compute.Tests.Matrices;

namespace LoraServe.Compute.Tests.Tensors;

public class TensorTests
{
    [Fact]
    public void ToFloats_BlockTypes_FollowTheFormat()
    {
        byte[] nibbles = [.. Enumerable.Range(0, 16).Select(i => (byte)(i | ((15 - i) << 4)))];
        byte[] half = Half(0.5f);
        float[] q4 = Tensor.FromBytes("a", ElementType.Q4_0, [.. half, .. nibbles], 1, 32).ToFloats();
        float[] q41 = Tensor.FromBytes("a", ElementType.Q4_1, [.. half, .. Half(-3), .. nibbles], 1, 32).ToFloats();
        float[] q8 = Tensor.FromBytes("a", ElementType.Q8_0, [.. half, .. Enumerable.Range(0, 32).Select(i => (byte)(i - 16))], 1, 32).ToFloats();
        for (int i = 0; i < 32; i++)
        {
            int nibble = i < 16 ? i : 31 - i;
            Assert.Equal(0.5f * (nibble - 8), q4[i]);
            Assert.Equal((0.5f * nibble) - 3, q41[i]);
            Assert.Equal(0.5f * (i - 16), q8[i]);
        }
    }

    [Theory]
    [InlineData(ElementType.Q5_0)]
    [InlineData(ElementType.Q5_1)]
    [InlineData(ElementType.Q2_K)]
    [InlineData(ElementType.Q3_K)]
    [InlineData(ElementType.Q4_K)]
    [InlineData(ElementType.Q5_K)]
    [InlineData(ElementType.Q6_K)]
    [InlineData(ElementType.IQ4_NL)]
    [InlineData(ElementType.IQ4_XS)]
    public unsafe void ToFloats_BlocksOfAnyBytes_AreThePlainDefinition(ElementType type)
    {
        Tensor tensor = RandomMatrix.Create(type, 5, 512, 3);
        float[] values = tensor.ToFloats();
        for (int i = 0; i < values.Length; i++)
        {
            (int block, int place) = Math.DivRem(i, type.BlockElements());
            byte[] bytes = new ReadOnlySpan<byte>((byte*)tensor.Data + (block * type.BlockBytes()), type.BlockBytes()).ToArray();
            Assert.Equal(PlainBlocks.Value(type, bytes, place), values[i]);
        }
    }

    [Fact]
    public void CopyCodes_EveryBlockType_GivesWhatTheValuesAreMadeOf()
    {
        foreach (ElementType type in ElementTypes.Weights.Where(type => type.Codes() is not null))
        {
            CodeTable table = type.Codes()!;
            Tensor tensor = RandomMatrix.Create(type, 3, 512, 5);
            byte[] codes = new byte[512];
            float[] scales = new float[512 / table.RunElements];
            float[] minima = new float[scales.Length];
            float[] expected = new float[512];
            tensor.CopyRow(2, expected);
            tensor.CopyCodes(2, codes, scales, minima);
            for (int i = 0; i < codes.Length; i++)
            {
                float product = scales[i / table.RunElements] * table.Values[codes[i]];
                Assert.Equal(expected[i], product + minima[i / table.RunElements]);
            }

            Assert.Equal(table.HasMinimum, minima.Any(minimum => minimum != 0));
            Assert.Equal(table.AreHalves, scales.Concat(minima).All(scale => scale == (float)(Half)scale));
            Assert.Throws<ArgumentException>(() => tensor.CopyCodes(0, new byte[1], [], []));
        }

        Assert.Throws<ArgumentException>(() => Tensor.FromFloats("a", [1, 2], 1, 2).CopyCodes(0, [], [], []));
    }

    [Fact]
    public void ToFloats_PlainTypes_KeepTheValue()
    {
        float[] values = [1, -2, 0.5f];
        Assert.Equal(values, Tensor.FromFloats("a", values, 3).ToFloats());
        Assert.Equal(values, Tensor.FromBytes("a", ElementType.F16, [.. values.SelectMany(Half)], 3).ToFloats());
        Assert.Equal(values, Tensor.FromBytes("a", ElementType.BF16, [.. values.SelectMany(value => BitConverter.GetBytes(value)[2..])], 3).ToFloats());
        Assert.Equal(values, Tensor.FromBytes("a", ElementType.F64, [.. values.SelectMany(value => BitConverter.GetBytes((double)value))], 3).ToFloats());
        Assert.Equal([255, 0], Tensor.FromBytes("a", ElementType.U8, [255, 0], 2).ToFloats());
        Assert.Equal([-1, 0], Tensor.FromBytes("a", ElementType.I8, [255, 0], 2).ToFloats());
        Assert.Equal([-1, 256], Tensor.FromBytes("a", ElementType.I16, [255, 255, 0, 1], 2).ToFloats());
        Assert.Equal([-2], Tensor.FromBytes("a", ElementType.I32, BitConverter.GetBytes(-2), 1).ToFloats());
        Assert.Equal([-3], Tensor.FromBytes("a", ElementType.I64, BitConverter.GetBytes(-3L)).ToFloats());
        Assert.Equal([1.5f, -448, 1 / 512f, 0, float.NaN], Tensor.FromBytes("a", ElementType.F8_E4M3, [0x3C, 0xFE, 1, 0, 0x7F], 5).ToFloats());
        Assert.Equal([1.5f, -57_344, float.PositiveInfinity], Tensor.FromBytes("a", ElementType.F8_E5M2, [0x3E, 0xFB, 0x7C], 3).ToFloats());
    }

    [Fact]
    public void CopyRow_OfAMatrix_IsThatRow()
    {
        Tensor tensor = Tensor.FromFloats("a", [1, 2, 3, 4, 5, 6], 3, 2);
        float[] row = new float[2];
        tensor.CopyRow(2, row);
        Assert.Equal([5, 6], row);
        Assert.Throws<ArgumentOutOfRangeException>(() => tensor.CopyRow(3, row));
        Assert.Throws<ArgumentException>(() => tensor.CopyRow(0, new float[3]));
    }

    [Fact]
    public void ToFloats_NoElements_IsEmpty() => Assert.Empty(Tensor.FromFloats("a", [], 3, 0).ToFloats());

    [Fact]
    public void FromFloats_ShapeOfAnotherSize_Throws() =>
        Assert.Throws<ArgumentException>(() => Tensor.FromFloats("a", [1, 2], 3));

    [Fact]
    public void OverFloats_SeesWhatTheArrayHolds()
    {
        float[] values = [1, 2, 3, 4];
        Tensor tensor = Tensor.OverFloats("a", values, 2, 2);
        values[2] = 7;
        Assert.Equal([1, 2, 7, 4], tensor.ToFloats());
        Assert.Throws<ArgumentException>(() => Tensor.OverFloats("a", values, 3));
    }

    [Fact]
    public void Over_APartOfMemory_SeesItUntilThatIsGone()
    {
        var memory = new NativeBuffer(4 * sizeof(float));
        Tensor.FromFloats("source", [1, 2, 3, 4], 4).CopyRow(0, Floats(memory));
        Tensor tensor = Tensor.Over("a", ElementType.F32, memory, sizeof(float), 3, 1);
        Assert.Equal([2, 3, 4], tensor.ToFloats());
        Assert.Throws<ArgumentException>(() => Tensor.Over("a", ElementType.F32, memory, 2 * sizeof(float), 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => Tensor.Over("a", ElementType.F32, memory, -1, 1));
        memory.Dispose();
        Assert.Throws<ObjectDisposedException>(() => tensor.ToFloats());
    }

    private static unsafe Span<float> Floats(NativeBuffer memory) => new(memory.Pointer, (int)(memory.ByteLength / sizeof(float)));

    private static byte[] Half(float value) => BitConverter.GetBytes((Half)value);
}
