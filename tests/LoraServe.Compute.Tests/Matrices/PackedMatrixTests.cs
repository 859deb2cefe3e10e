using LoraServe.Compute.Kernels.Panels;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Tensors;

namespace LoraServe.Compute.Tests.Matrices;

public class PackedMatrixTests
{
    [Fact]
    public void CopyRow_EveryType_GivesTheTensorsValues()
    {
        foreach (PanelKernels kernels in PanelKernels.All)
        {
            foreach (ElementType type in RandomMatrix.Types)
            {
                int width = RandomMatrix.Width(type, 64);
                Tensor tensor = RandomMatrix.Create(type, 19, width, 1);
                using PackedMatrix packed = PackedMatrix.Pack(tensor, Arithmetic.Fast, default, kernels.Lanes);
                float[] expected = tensor.ToFloats();
                float[] row = new float[width];
                for (int output = 0; output < 19; output++)
                {
                    packed.CopyRow(output, row);
                    Assert.Equal(expected.AsSpan(output * width, width).ToArray(), row);
                }
            }
        }
    }

    [Fact]
    public void Pack_RowOrder_PermutesAndRepeatsRows()
    {
        Tensor tensor = RandomMatrix.Create(ElementType.Q4_0, 4, 32, 1);
        using PackedMatrix packed = PackedMatrix.Pack(tensor, Arithmetic.Fast, [3, 0, 0, 2, 1]);
        float[] expected = tensor.ToFloats();
        float[] row = new float[32];
        Assert.Equal(5, packed.Outputs);
        packed.CopyRow(0, row);
        Assert.Equal(expected.AsSpan(96, 32).ToArray(), row);
        packed.CopyRow(2, row);
        Assert.Equal(expected.AsSpan(0, 32).ToArray(), row);
    }

    [Fact]
    public void Pack_QuantisedTypes_StayAsSmallAsTheFile()
    {
        foreach (ElementType type in RandomMatrix.Types)
        {
            Tensor tensor = RandomMatrix.Create(type, 32, RandomMatrix.Width(type, 64), 1);
            using PackedMatrix packed = PackedMatrix.Pack(tensor, Arithmetic.Fast);

            // Factors of 6 bits have a byte, and so have those of 4 bits, of Q2_K.
            Assert.InRange(packed.ByteLength, tensor.ByteLength, tensor.ByteLength * (type == ElementType.Q2_K ? 120 : 104) / 100);
            Assert.Equal(type.BlockElements() > 1, packed.ReadsIntegers);
        }
    }

    [Theory]
    [InlineData(ElementType.F16)]
    [InlineData(ElementType.Q8_0)]
    [InlineData(ElementType.Q4_1)]
    public void Pack_HalvesThatAreNotFinite_KeepTheirValue(ElementType type)
    {
        byte[] bytes = new byte[type.ByteLength(64)];
        Array.Fill(bytes, (byte)1);
        BitConverter.TryWriteBytes(bytes, Half.NaN);
        Tensor tensor = Tensor.FromBytes("w", type, bytes, 2, 32);
        using PackedMatrix packed = PackedMatrix.Pack(tensor, Arithmetic.Fast);
        float[] row = new float[32];
        packed.CopyRow(0, row);
        Assert.Equal(tensor.ToFloats()[..32], row);
        Assert.True(float.IsNaN(row[0]));
    }

    [Fact]
    public void Pack_NoMatrixOrRow_IsRefused()
    {
        Assert.Throws<ArgumentException>(() => PackedMatrix.Pack(Tensor.FromFloats("v", [1, 2], 2), Arithmetic.Fast));
        Assert.Throws<ArgumentOutOfRangeException>(() => PackedMatrix.Pack(Tensor.FromFloats("e", [], 0, 2), Arithmetic.Fast));
        Assert.Throws<ArgumentOutOfRangeException>(() => PackedMatrix.Pack(Tensor.FromFloats("m", [1, 2], 1, 2), Arithmetic.Fast, [1]));
        Assert.Throws<ArgumentException>(() => PackedMatrix.FromFloats([1, 2, 3], 2, 2));
    }

    [Fact]
    public void In_AnotherArithmetic_SharesTheMemory()
    {
        Tensor tensor = RandomMatrix.Create(ElementType.Q4_0, 9, 64, 1);
        using PackedMatrix owner = PackedMatrix.Pack(tensor, Arithmetic.Fast);
        PackedMatrix view = owner.In(Arithmetic.Exact);
        Assert.True(owner.ReadsIntegers);
        Assert.False(view.ReadsIntegers);
        long before = NativeBuffer.AllocatedBytes;
        view.Dispose();
        Assert.Equal(before, NativeBuffer.AllocatedBytes);
        float[] row = new float[64];
        view.CopyRow(8, row);
        Assert.Equal(tensor.ToFloats()[(8 * 64)..], row);
    }
}
