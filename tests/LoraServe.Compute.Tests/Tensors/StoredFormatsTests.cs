using LoraServe.Compute.Files;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Tensors;
using LoraServe.Compute.Tests.Matrices;

namespace LoraServe.Compute.Tests.Tensors;

public class StoredFormatsTests
{
    [Fact]
    public void All_InTheOrderOfTheEnumeration_OneLineEach()
    {
        Assert.Equal(Enum.GetValues<ElementType>(), StoredFormats.All.Select(format => format.Type));
        Assert.Throws<ArgumentOutOfRangeException>(() => ElementTypes.BlockBytes((ElementType)StoredFormats.All.Length));
    }

    [Fact]
    public void All_NamesInFiles_MeanOneType()
    {
        Assert.Equal(StoredFormats.All.Length, StoredFormats.All.Select(format => format.GgufId ?? uint.MaxValue - (uint)format.Type).Distinct().Count());
        string[] dtypes = [.. StoredFormats.All.SelectMany(format => format.Dtypes)];
        Assert.Equal(dtypes.Distinct(), dtypes);
        Assert.All(dtypes, dtype => Assert.Contains(dtype, StoredFormats.FindDtype(dtype)!.Dtypes));
        Assert.Null(StoredFormats.FindDtype("F8_E8M0"));
        Assert.Equal("F32, F16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, IQ4_NL, IQ4_XS, I8, I16, I32, I64, F64, BF16", GgufTensorType.Supported);
        Assert.All(StoredFormats.All.Where(format => format.GgufId.HasValue), format => Assert.Equal(format.Type, GgufTensorType.Find(format.GgufId!.Value)!.ElementType));
    }

    [Fact]
    public void Halves_OfWeights_AreLookedAtEveryOne()
    {
        foreach (StoredFormat format in StoredFormats.All.Where(format => !format.Halves.IsEmpty))
        {
            foreach (int place in format.Halves)
            {
                Tensor tensor = RandomMatrix.Create(format.Type, 3, 256, 1);
                byte[] bytes = Bytes(tensor);
                Assert.Equal(PanelLayout.Holding(format), Layout(format.Type, bytes));
                BitConverter.TryWriteBytes(bytes.AsSpan(bytes.Length - format.BlockBytes + place), Half.NegativeInfinity);
                Assert.Equal(PanelFormat.F32, Layout(format.Type, bytes).Format);
            }
        }

        static PanelLayout Layout(ElementType type, byte[] bytes)
        {
            using var packed = PackedMatrix.Pack(Tensor.FromBytes("w", type, bytes, 3, 256), Arithmetic.Fast);
            return packed.Layout;
        }
    }

    private static unsafe byte[] Bytes(Tensor tensor) => new ReadOnlySpan<byte>((byte*)tensor.Data, (int)tensor.ByteLength).ToArray();
}
