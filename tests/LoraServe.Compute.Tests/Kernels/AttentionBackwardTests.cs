using LoraServe.Compute.Kernels;
using LoraServe.Compute.Memory;

namespace LoraServe.Compute.Tests.Kernels;

public unsafe class AttentionBackwardTests
{
    [Theory]
    [InlineData(1, 1, 8, 0)]
    [InlineData(7, 1, 4, 0)]
    [InlineData(20, 3, 16, 0)]
    [InlineData(33, 2, 24, 5)]
    [InlineData(70, 1, 8, 0)]
    [InlineData(75, 3, 5, 20)]
    [InlineData(40, 15, 2, 1)]
    public void Run_AnyShape_MatchesFiniteDifferences(int positions, int heads, int headSize, int window)
    {
        float scale = 1 / MathF.Sqrt(headSize);
        var random = new Random(positions);
        using var q = new NativeRows(positions, heads * headSize, random, range: 2);
        using var k = new NativeRows(positions, headSize, random, range: 2);
        using var v = new NativeRows(positions, headSize, random);
        using var dOut = new NativeRows(positions, heads * headSize, random);
        using var dQ = new NativeRows(positions, heads * headSize);
        using var dK = new NativeRows(positions, headSize);
        using var dV = new NativeRows(positions, headSize);
        Run(q.View, k.View, v.View, dOut.View, dQ.View, dK.View, dV.View, scale, window);
        double[] weights = [.. dOut.ToArray().Select(value => (double)value)];
        FiniteDifferences.Check(
            point => Loss(point, weights, positions, heads, headSize, scale, window),
            q.ToArray().Concat(k.ToArray()).Concat(v.ToArray()),
            dQ.ToArray().Concat(dK.ToArray()).Concat(dV.ToArray()),
            $"{positions} positions, {heads} heads of {headSize}, window {window}");
    }

    [Fact]
    public void Run_StridedRows_AddsToWhatIsThere()
    {
        const int HeadSize = 8;
        const int Positions = 21;
        var random = new Random(4);
        using var all = new NativeRows(Positions, 6 * HeadSize, random);
        using var gradients = new NativeRows(Positions, 6 * HeadSize, random);
        using var apart = new NativeRows(Positions, 4 * HeadSize);
        Rows q = all.View.Columns(0, 2 * HeadSize);
        Rows k = all.View.Columns(2 * HeadSize, HeadSize);
        Rows v = all.View.Columns(3 * HeadSize, HeadSize);
        Rows dOut = all.View.Columns(4 * HeadSize, 2 * HeadSize);
        float[] before = gradients.ToArray();
        Run(q, k, v, dOut, Part(apart, 0, 2), Part(apart, 2, 1), Part(apart, 3, 1), 0.3f, 0);
        Run(q, k, v, dOut, Part(gradients, 0, 2), Part(gradients, 2, 1), Part(gradients, 3, 1), 0.3f, 0);
        for (int t = 0; t < Positions; t++)
        {
            for (int i = 0; i < 6 * HeadSize; i++)
            {
                float added = i < 4 * HeadSize ? apart.View[t][i] : 0;
                Assert.Equal(before[(t * 6 * HeadSize) + i] + added, gradients.View[t][i], 1e-5f);
            }
        }

        static Rows Part(NativeRows rows, int head, int heads) => rows.View.Columns(head * HeadSize, heads * HeadSize);
    }

    [Fact]
    public void Run_RowsThatDoNotFit_AreRefused()
    {
        using var a = new NativeRows(3, 8);
        using var b = new NativeRows(4, 8);
        Assert.Throws<ArgumentException>(() => Run(a.View, a.View, a.View, a.View, b.View, a.View, a.View, 1, 0));
        Assert.Throws<ArgumentException>(() => Run(a.View, a.View.Columns(0, 3), a.View, a.View, a.View, a.View, a.View, 1, 0));
    }

    private static void Run(Rows q, Rows k, Rows v, Rows dOut, Rows dQ, Rows dK, Rows dV, float scale, int window)
    {
        // Scratch holds numbers that must not matter, and nothing beyond it may be written.
        int floats = (int)AttentionBackward.FloatsNeeded(k.Count, q.Width / k.Width, k.Width, window);
        using var scratch = new NativeRows(1, floats + 1);
        new Span<float>(scratch.Pointer, floats + 1).Fill(float.NaN);
        scratch.Pointer[floats] = 7;
        AttentionBackward.Run(q, k, v, dOut, dQ, dK, dV, scale, window, scratch.Pointer);
        Assert.Equal(7, scratch.Pointer[floats]);
    }

    private static double Loss(double[] point, double[] weights, int positions, int heads, int headSize, double scale, int window)
    {
        int width = heads * headSize;
        ReadOnlySpan<double> q = point.AsSpan(0, positions * width);
        ReadOnlySpan<double> k = point.AsSpan(positions * width, positions * headSize);
        ReadOnlySpan<double> v = point.AsSpan(positions * (width + headSize));
        double loss = 0;
        double[] p = new double[positions];
        for (int i = 0; i < positions; i++)
        {
            int first = window > 0 ? Math.Max(0, i - window + 1) : 0;
            for (int place = i * width; place < (i + 1) * width; place += headSize)
            {
                double sum = 0;
                for (int j = first; j <= i; j++)
                {
                    double score = 0;
                    for (int d = 0; d < headSize; d++)
                    {
                        score += q[place + d] * k[(j * headSize) + d];
                    }

                    sum += p[j] = Math.Exp(score * scale);
                }

                for (int j = first; j <= i; j++)
                {
                    for (int d = 0; d < headSize; d++)
                    {
                        loss += p[j] / sum * v[(j * headSize) + d] * weights[place + d];
                    }
                }
            }
        }

        return loss;
    }
}
