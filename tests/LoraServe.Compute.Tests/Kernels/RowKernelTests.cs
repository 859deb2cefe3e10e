using LoraServe.Compute.Kernels;

namespace LoraServe.Compute.Tests.Kernels;

public unsafe class RowKernelTests
{
    public static TheoryData<int> Widths { get; } = [1, 2, 7, 8, 9, 15, 16, 17, 33, 64, 100, 257];

    [Theory]
    [MemberData(nameof(Widths))]
    public void RmsNorm_MatchesItsFormula(int width)
    {
        var random = new Random(width);
        using var x = new NativeRows(3, width, random);
        using var gain = new NativeRows(1, width, random);
        using var y = new NativeRows(3, width);
        RmsNorm.Run(x.View, gain.Pointer, 1e-5f, y.View);
        for (int t = 0; t < 3; t++)
        {
            double square = 0;
            for (int i = 0; i < width; i++)
            {
                square += (double)x.View[t][i] * x.View[t][i];
            }

            for (int i = 0; i < width; i++)
            {
                Assert.Equal(x.View[t][i] * gain.Pointer[i] / Math.Sqrt((square / width) + 1e-5), y.View[t][i], 1e-5);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void SiluMultiply_MatchesItsFormula(int width)
    {
        var random = new Random(width);
        using var gate = new NativeRows(2, width, random, range: 20);
        using var up = new NativeRows(2, width, random);
        using var y = new NativeRows(2, width);
        SiluMultiply.Run(gate.View, up.View, y.View);
        for (int t = 0; t < 2; t++)
        {
            for (int i = 0; i < width; i++)
            {
                double g = gate.View[t][i];
                Assert.Equal(g / (1 + Math.Exp(-g)) * up.View[t][i], y.View[t][i], 1e-5);
            }
        }
    }

    [Fact]
    public void Rope_OfAPartOfEachHead_LeavesTheRest()
    {
        var random = new Random(3);
        using var part = new NativeRows(1, 2 * 6, random);
        using var whole = new NativeRows(1, 2 * 4);
        for (int i = 0; i < 8; i++)
        {
            whole.View.Span(0)[i] = part.View.Span(0)[(i / 4 * 6) + (i % 4)];
        }

        float[] before = part.ToArray();
        using var tables = new NativeRows(1, 4);
        Rope.Fill(9, [1, 0.1f], 1, tables.View.Span(0));
        Rope.Run(part.View, 6, tables.View);
        Rope.Run(whole.View, 4, tables.View);
        for (int i = 0; i < 12; i++)
        {
            Assert.Equal(i % 6 < 4 ? whole.ToArray()[(i / 6 * 4) + (i % 6)] : before[i], part.ToArray()[i]);
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(8)]
    [InlineData(24)]
    [InlineData(64)]
    public void Rope_TurnsPairsByTheirAngle(int headSize)
    {
        var random = new Random(headSize);
        float[] frequencies = [.. Enumerable.Range(0, headSize / 2).Select(i => MathF.Pow(10_000, -2f * i / headSize))];
        using var x = new NativeRows(2, headSize * 3, random);
        float[] before = x.ToArray();
        using var tables = new NativeRows(2, headSize);
        Rope.Fill(5, frequencies, 1, tables.View.Span(0));
        Rope.Fill(1234, frequencies, 1.25f, tables.View.Span(1));
        Rope.Run(x.View, headSize, tables.View);
        for (int i = 0; i < before.Length; i++)
        {
            (int row, int column) = (i / (headSize * 3), i % (headSize * 3));
            (int head, int element) = (column / headSize, column % headSize);
            int pair = element % (headSize / 2);
            double angle = (row == 0 ? 5 : 1234) * frequencies[pair];
            double factor = row == 0 ? 1 : 1.25;
            int start = (row * headSize * 3) + (head * headSize) + pair;
            (double a, double b) = (before[start], before[start + (headSize / 2)]);
            double expected = element < headSize / 2
                ? (a * Math.Cos(angle)) - (b * Math.Sin(angle))
                : (b * Math.Cos(angle)) + (a * Math.Sin(angle));
            Assert.Equal(expected * factor, x.ToArray()[i], 2e-4);
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void RowArithmetic_MatchesItsFormulas(int width)
    {
        var random = new Random(width);
        using var x = new NativeRows(1, width, random);
        using var y = new NativeRows(1, width, random);
        float[] before = y.ToArray();
        RowArithmetic.Add(x.Pointer, y.Pointer, width);
        RowArithmetic.AddScaled(x.Pointer, 0.75f, y.Pointer, width);
        RowArithmetic.AddProduct(x.Pointer, 0.5f, y.Pointer, width);
        for (int i = 0; i < width; i++)
        {
            double sum = before[i] + (1.75 * x.Pointer[i]);
            Assert.Equal(sum + (0.5 * x.Pointer[i] * sum), y.Pointer[i], 1e-5);
        }
    }
}
