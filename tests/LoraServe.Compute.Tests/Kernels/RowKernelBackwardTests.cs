using LoraServe.Compute.Kernels;

namespace LoraServe.Compute.Tests.Kernels;

public unsafe class RowKernelBackwardTests
{
    private const int Count = 3;

    public static TheoryData<int> Widths => [1, 7, 8, 16, 19, 40, 100];

    [Theory]
    [MemberData(nameof(Widths))]
    public void RmsNormBackward_MatchesFiniteDifferences(int width)
    {
        const float Epsilon = 1e-3f;
        var random = new Random(width);
        using var x = new NativeRows(Count, width, random);
        using var gain = new NativeRows(1, width, random);
        using var dy = new NativeRows(Count, width, random);
        using var dx = new NativeRows(Count, width);
        using var dGain = new NativeRows(1, width);
        double[] weights = [.. dy.ToArray().Select(value => (double)value)];
        RmsNorm.Backward(x.View, gain.Pointer, Epsilon, dy.View, dx.View, dGain.Pointer);
        FiniteDifferences.Check(
            point =>
            {
                double loss = 0;
                for (int t = 0; t < Count; t++)
                {
                    double square = 0;
                    for (int i = 0; i < width; i++)
                    {
                        square += point[(t * width) + i] * point[(t * width) + i];
                    }

                    for (int i = 0; i < width; i++)
                    {
                        loss += weights[(t * width) + i] * point[(Count * width) + i] * point[(t * width) + i] / Math.Sqrt((square / width) + Epsilon);
                    }
                }

                return loss;
            },
            x.ToArray().Concat(gain.ToArray()),
            dx.ToArray().Concat(dGain.ToArray()),
            $"width {width}");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(24)]
    [InlineData(37)]
    public void LayerNorm_AndItsBackward_AreTheFormulas(int width)
    {
        const float Epsilon = 1e-3f;
        var random = new Random(width);
        using var x = new NativeRows(Count, width, random);
        using var gain = new NativeRows(1, width, random);
        using var bias = new NativeRows(1, width, random);
        using var dy = new NativeRows(Count, width, random);
        using var y = new NativeRows(Count, width);
        using var dx = new NativeRows(Count, width);
        using var dGain = new NativeRows(1, width);
        using var dBias = new NativeRows(1, width);
        LayerNorm.Run(x.View, gain.Pointer, bias.Pointer, Epsilon, y.View);
        double[] point = [.. x.ToArray().Concat(gain.ToArray()).Concat(bias.ToArray()).Select(value => (double)value)];
        Assert.All(Plain(point).Zip(y.ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-5));

        double[] weights = [.. dy.ToArray().Select(value => (double)value)];
        LayerNorm.Backward(x.View, gain.Pointer, Epsilon, dy.View, dx.View, dGain.Pointer, dBias.Pointer);
        FiniteDifferences.Check(
            moved => Plain(moved).Zip(weights, (value, weight) => value * weight).Sum(),
            x.ToArray().Concat(gain.ToArray()).Concat(bias.ToArray()),
            dx.ToArray().Concat(dGain.ToArray()).Concat(dBias.ToArray()),
            $"width {width}");

        double[] Plain(double[] at) =>
        [
            .. Enumerable.Range(0, Count).SelectMany(t =>
            {
                double[] row = at[(t * width)..((t + 1) * width)];
                double mean = row.Average();
                double deviation = Math.Sqrt(row.Average(value => (value - mean) * (value - mean)) + Epsilon);
                return row.Select((value, i) => (at[(Count * width) + i] * (value - mean) / deviation) + at[((Count + 1) * width) + i]);
            }),
        ];
    }

    [Fact]
    public void RmsNormBackward_Twice_AddsTwice()
    {
        var random = new Random(1);
        using var x = new NativeRows(Count, 11, random);
        using var gain = new NativeRows(1, 11, random);
        using var dy = new NativeRows(Count, 11, random);
        using var dx = new NativeRows(Count, 11);
        RmsNorm.Backward(x.View, gain.Pointer, 1e-5f, dy.View, dx.View, null);
        float[] once = dx.ToArray();
        RmsNorm.Backward(x.View, gain.Pointer, 1e-5f, dy.View, dx.View, null);
        Assert.Equal(once.Select(value => 2 * value), dx.ToArray());
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void SiluMultiplyBackward_MatchesFiniteDifferences(int width)
    {
        var random = new Random(width);
        using var gate = new NativeRows(Count, width, random, range: 6);
        using var up = new NativeRows(Count, width, random);
        using var dy = new NativeRows(Count, width, random);
        using var dGate = new NativeRows(Count, width);
        using var dUp = new NativeRows(Count, width);
        SiluMultiply.Backward(gate.View, up.View, dy.View, dGate.View, dUp.View);
        double[] weights = [.. dy.ToArray().Select(value => (double)value)];
        int half = weights.Length;
        FiniteDifferences.Check(
            point => weights.Select((weight, i) => weight * point[i] / (1 + Math.Exp(-point[i])) * point[half + i]).Sum(),
            gate.ToArray().Concat(up.ToArray()),
            dGate.ToArray().Concat(dUp.ToArray()),
            $"width {width}");

        // In place, as the tape does it.
        SiluMultiply.Backward(gate.View, up.View, dy.View, gate.View, up.View);
        Assert.Equal(dGate.ToArray(), gate.ToArray());
        Assert.Equal(dUp.ToArray(), up.ToArray());
    }

    [Fact]
    public void SiluMultiplyBackward_ExtremeGates_StayFinite()
    {
        using var gate = new NativeRows(1, 3);
        using var one = new NativeRows(1, 3);
        using var dGate = new NativeRows(1, 3);
        using var dUp = new NativeRows(1, 3);
        (gate.Pointer[0], gate.Pointer[1], gate.Pointer[2]) = (-300, 300, 0);
        new Span<float>(one.Pointer, 3).Fill(1);
        SiluMultiply.Backward(gate.View, one.View, one.View, dGate.View, dUp.View);
        Assert.Equal([0f, 1f, 0.5f], dGate.ToArray().Select(value => MathF.Round(value, 5)));
        Assert.Equal([0f, 300f, 0f], dUp.ToArray().Select(value => MathF.Round(value, 5)));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(24)]
    [InlineData(64)]
    public void RopeBackward_IsTheTranspose(int headSize)
    {
        var random = new Random(headSize);
        float[] frequencies = [.. Enumerable.Range(0, headSize / 2).Select(i => MathF.Pow(10_000, -2f * i / headSize))];
        using var tables = new NativeRows(1, headSize);
        Rope.Fill(77, frequencies, 1.25f, tables.View.Span(0));
        using var x = new NativeRows(1, 2 * headSize, random);
        using var dy = new NativeRows(1, 2 * headSize, random);
        float[] before = x.ToArray();
        float[] gradient = dy.ToArray();
        Rope.Run(x.View, headSize, tables.View);
        Rope.Backward(dy.View, headSize, tables.View);
        double forward = x.ToArray().Zip(gradient, (a, b) => (double)a * b).Sum();
        double backward = dy.ToArray().Zip(before, (a, b) => (double)a * b).Sum();
        Assert.Equal(forward, backward, 1e-5);

        // Scaled by 1.25 both ways: turning back and forth multiplies by its square.
        Rope.Run(dy.View, headSize, tables.View);
        Assert.All(dy.ToArray().Zip(gradient), pair => Assert.Equal(1.5625 * pair.Second, pair.First, 1e-5));
    }
}
