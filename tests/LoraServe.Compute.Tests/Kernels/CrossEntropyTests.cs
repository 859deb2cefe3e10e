using LoraServe.Compute.Kernels;
using LoraServe.Compute.Workers;

namespace LoraServe.Compute.Tests.Kernels;

public sealed class CrossEntropyTests : IDisposable
{
    private readonly WorkerPool _pool = new(2);

    public void Dispose() => _pool.Dispose();

    [Theory]
    [InlineData(2, 0)]
    [InlineData(8, 0.1f)]
    [InlineData(19, 0)]
    [InlineData(37, 0.25f)]
    [InlineData(2100, 0.1f)]
    public void Run_AnyVocabulary_MatchesTheDefinitionAndItsFiniteDifferences(int vocabulary, float smoothing)
    {
        var random = new Random(vocabulary);
        using var logits = new NativeRows(4, vocabulary, random, range: 5);
        int[] targets = [0, -100, vocabulary - 1, vocabulary / 2];
        float[] coefficients = [1, 5, 0.25f, -0.5f];
        float[] losses = new float[4];
        float[] before = logits.ToArray();
        CrossEntropy.Run(_pool, logits.View, targets, [], smoothing, losses, wantsGradient: false);
        Assert.Equal(before, logits.ToArray());
        double[] point = [.. before.Select(value => (double)value)];
        for (int t = 0; t < 4; t++)
        {
            Assert.Equal(Loss(point.AsSpan(t * vocabulary, vocabulary), targets[t], smoothing), losses[t], 1e-5);
        }

        float[] again = new float[4];
        CrossEntropy.Run(_pool, logits.View, targets, coefficients, smoothing, again, wantsGradient: true);
        Assert.Equal(losses, again);
        FiniteDifferences.Check(
            at => Enumerable.Range(0, 4).Sum(t => coefficients[t] * Loss(at.AsSpan(t * vocabulary, vocabulary), targets[t], smoothing)),
            before,
            logits.ToArray(),
            $"vocabulary {vocabulary}");
    }

    [Fact]
    public void Run_HugeLogits_StaysFinite()
    {
        using var logits = new NativeRows(2, 9);
        logits.View.Span(0)[3] = 1e30f;
        logits.View.Span(1)[5] = -1e30f;
        float[] losses = new float[2];
        CrossEntropy.Run(_pool, logits.View, [3, 5], [1, 1], 0, losses, wantsGradient: true);
        Assert.Equal(0, losses[0]);
        Assert.Equal(1e30f, losses[1]);
        Assert.All(logits.ToArray(), value => Assert.True(float.IsFinite(value)));
    }

    [Fact]
    public void Run_RowsThatDoNotFit_AreRefused()
    {
        using var logits = new NativeRows(2, 9);
        Assert.Throws<ArgumentException>(() => CrossEntropy.Run(_pool, logits.View, [1], [], 0, new float[2], wantsGradient: false));
        Assert.Throws<ArgumentException>(() => CrossEntropy.Run(_pool, logits.View, [1, 9], [], 0, new float[2], wantsGradient: false));
        Assert.Throws<ArgumentException>(() => CrossEntropy.Run(_pool, logits.View, [1, 2], [1], 0, new float[2], wantsGradient: true));
    }

    private static double Loss(ReadOnlySpan<double> logits, int target, double smoothing)
    {
        if (target < 0)
        {
            return 0;
        }

        double maximum = double.NegativeInfinity;
        double total = 0;
        foreach (double logit in logits)
        {
            maximum = Math.Max(maximum, logit);
            total += logit;
        }

        double sum = 0;
        foreach (double logit in logits)
        {
            sum += Math.Exp(logit - maximum);
        }

        double all = maximum + Math.Log(sum);
        return ((1 - smoothing) * (all - logits[target])) + (smoothing * (all - (total / logits.Length)));
    }
}
