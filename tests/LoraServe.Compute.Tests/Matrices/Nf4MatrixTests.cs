using LoraServe.Compute.Kernels.Panels;
using LoraServe.Compute.Matrices;

namespace LoraServe.Compute.Tests.Matrices;

public class Nf4MatrixTests
{
    [Fact]
    public void Quantize_EveryValue_GetsItsNearestLevel()
    {
        float[] values = RandomMatrix.Floats(7 * 37, 1);
        var matrix = Nf4Matrix.Quantize(values, 7, 37, doubleQuantization: false);
        Assert.Equal(130, matrix.Codes.Length);
        float[] row = new float[37];
        for (int i = 0; i < values.Length; i++)
        {
            matrix.CopyRow(i / 37, row);
            float greatest = values.Skip(i / 64 * 64).Take(64).Max(Math.Abs);
            Assert.Equal(greatest, matrix.Scales[i / 64]);
            float nearest = Nf4.Levels.ToArray().MinBy(level => Math.Abs((values[i] / greatest) - level));
            Assert.Equal(nearest * greatest, row[i % 37]);
        }

        Assert.Equal(Enumerable.Range(0, 7).SelectMany(r => Row(matrix, r)), Nf4.Round(values));
    }

    [Fact]
    public void QuantizeBlock_WithImportance_IsNoWorseByIt_AndBetterWhereWhatStandsOutDoesNotCount()
    {
        for (int seed = 0; seed < 50; seed++)
        {
            float[] values = RandomMatrix.Floats(64, seed);
            float[] importance = [.. RandomMatrix.Floats(64, seed + 100).Select(value => value * value)];
            (float plain, byte[] plainCodes) = Block(values, []);
            Assert.Equal(values.Max(Math.Abs), plain);
            (float weighed, byte[] codes) = Block(values, importance);
            Assert.InRange(Error(values, importance, weighed, codes), 0, Error(values, importance, plain, plainCodes));

            (values[9], importance[9]) = (30, 0);
            (plain, plainCodes) = Block(values, []);
            (weighed, codes) = Block(values, importance);
            Assert.InRange(Error(values, importance, weighed, codes), 0, Error(values, importance, plain, plainCodes) * 0.99);
        }

        static (float Scale, byte[] Codes) Block(float[] values, float[] importance)
        {
            byte[] codes = new byte[values.Length];
            return (Nf4.QuantizeBlock(values, importance, codes), codes);
        }

        static double Error(float[] values, float[] importance, float scale, byte[] codes) =>
            values.Select((value, i) => importance[i] * Math.Pow(value - (Nf4.Levels[codes[i]] * scale), 2)).Sum();
    }

    [Fact]
    public void Quantize_ZeroBlock_StaysZero()
    {
        float[] values = new float[128];
        values[70] = 3;
        foreach (bool doubled in (ReadOnlySpan<bool>)[false, true])
        {
            float[] rounded = Row(Nf4Matrix.Quantize(values, 1, 128, doubled), 0);
            Assert.All(rounded[..64], value => Assert.Equal(0, value));
            Assert.Equal(3, rounded[70]);
        }
    }

    [Fact]
    public void NestedScales_Map_IsTheDynamicMapOfEightBits()
    {
        float[] map = NestedScales.Map.ToArray();
        Assert.Equal(256, map.Length);
        Assert.Equal(map.Order(), map);
        Assert.Equal(256, map.Distinct().Count());
        Assert.Equal([0f, 1f], [map[127], map[255]]);
        Assert.Equal(-0.99296875f, map[0], 1e-7f);
        Assert.Equal(5.5e-7f, map[128], 1e-12f);
    }

    [Fact]
    public void NestedScales_Decode_ReturnsScalesToWithinAStep()
    {
        float[] scales = [.. RandomMatrix.Floats(700, 2).Select(value => 1 + value)];
        var nested = NestedScales.Quantize(scales);
        Assert.Equal(3, nested.Maxima.Length);
        float[] decoded = nested.Decode();
        Assert.All(scales.Zip(decoded), pair => Assert.Equal(pair.First, pair.Second, 0.008f));
        Assert.Equal([2f, 2f, 2f], new NestedScales([127, 127, 127], [5], 2).Decode());
    }

    [Fact]
    public void Pack_AnyWidth_KeepsTheValues()
    {
        foreach (PanelKernels kernels in PanelKernels.All)
        {
            foreach ((int rows, int columns, int blockSize) in (ReadOnlySpan<(int, int, int)>)[(19, 96, 64), (5, 64, 128), (3, 48, 64), (7, 37, 64), (4, 32, 32)])
            {
                var matrix = Nf4Matrix.Quantize(RandomMatrix.Floats(rows * columns, columns), rows, columns, blockSize: blockSize);
                using PackedMatrix packed = PackedMatrix.Pack(matrix, default, kernels.Lanes);
                float[] row = new float[columns];
                for (int r = 0; r < rows; r++)
                {
                    packed.CopyRow(r, row);
                    Assert.Equal(Row(matrix, r), row);
                }
            }
        }
    }

    [Fact]
    public void Pack_WholeGroups_TakesFiveBitsAValue()
    {
        using PackedMatrix packed = PackedMatrix.Pack(Nf4Matrix.Quantize(new float[64 * 96], 64, 96));
        Assert.Equal(64 * 96 * 5 / 8, packed.ByteLength);
    }

    [Fact]
    public void Pack_RowOrder_PermutesRows()
    {
        var matrix = Nf4Matrix.Quantize(RandomMatrix.Floats(4 * 32, 5), 4, 32);
        using PackedMatrix packed = PackedMatrix.Pack(matrix, [3, 1]);
        float[] row = new float[32];
        packed.CopyRow(0, row);
        Assert.Equal(Row(matrix, 3), row);
        Assert.Throws<ArgumentOutOfRangeException>(() => PackedMatrix.Pack(matrix, [4]));
    }

    [Fact]
    public void FromStored_SizesThatDoNotFit_AreRefused()
    {
        Assert.Throws<ArgumentException>(() => Nf4Matrix.FromStored(2, 3, 64, new byte[2], [1]));
        Assert.Throws<ArgumentException>(() => Nf4Matrix.FromStored(2, 3, 64, new byte[3], [1, 2]));
        Assert.Throws<ArgumentException>(() => Nf4Matrix.FromStored(2, 3, 64, new byte[3], new NestedScales([1, 2], [1], 0)));
        Assert.Throws<ArgumentOutOfRangeException>(() => Nf4Matrix.FromStored(2, 3, 0, new byte[3], [1]));
        Assert.Throws<ArgumentException>(() => Nf4Matrix.Quantize([1, 2], 1, 3));
        Assert.Throws<ArgumentException>(() => new NestedScales(new byte[257], [1], 0));
    }

    private static float[] Row(Nf4Matrix matrix, int row)
    {
        float[] values = new float[matrix.Columns];
        matrix.CopyRow(row, values);
        return values;
    }
}
