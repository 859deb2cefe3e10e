using LoraServe.Compute.Kernels;
using LoraServe.Compute.Memory;

namespace LoraServe.Compute.Tests.Kernels;

public unsafe class CrossAttentionTests
{
    private const float Scale = 0.4f;
    private const float Weight = -0.7f;

    /// <summary>Rows and elements of a head: fewer than a vector has lanes, as many, and more.</summary>
    public static TheoryData<int, int> Shapes => new() { { 1, 8 }, { 1, 1 }, { 5, 6 }, { 8, 16 }, { 9, 24 }, { 40, 3 }, { 33, 128 } };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Run_AnyShape_AddsWhatFloat64Gives(int rows, int headSize)
    {
        using var sample = new Case(rows, headSize);
        double[] expected = sample.Output.ToArray().Zip(Read(sample.Point, rows, headSize), (before, read) => before + read).ToArray();
        using var scratch = new Scratch(CrossAttention.FloatsNeeded(rows));
        CrossAttention.Run(sample.Query.Pointer, sample.Keys, sample.Values, Scale, Weight, scratch.Pointer, sample.Output.Pointer);
        scratch.Check();
        Assert.All(expected.Zip(sample.Output.ToArray()), pair => Assert.Equal(pair.First, pair.Second, 2e-6));
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Backward_AnyShape_MatchesFiniteDifferences(int rows, int headSize)
    {
        using var sample = new Case(rows, headSize);
        using var dQuery = new NativeRows(1, headSize);
        using var dKeys = new NativeRows(rows, headSize);
        using var dValues = new NativeRows(rows, headSize);
        using var scratch = new Scratch(2 * CrossAttention.FloatsNeeded(rows));
        CrossAttention.Backward(sample.Query.Pointer, sample.Keys, sample.Values, Scale, Weight, sample.Output.Pointer, scratch.Pointer, dQuery.Pointer, dKeys.View, dValues.View);
        scratch.Check();
        double[] weights = [.. sample.Output.ToArray().Select(value => (double)value)];
        FiniteDifferences.Check(
            point => Read(point, rows, headSize).Zip(weights, (read, weight) => read * weight).Sum(),
            sample.Point.Select(value => (float)value),
            dQuery.ToArray().Concat(dKeys.ToArray()).Concat(dValues.ToArray()),
            $"{rows} rows of {headSize}");
    }

    [Fact]
    public void Backward_GradientsThatAreNotWanted_AreLeftOutAndTheOthersAddedTo()
    {
        const int Rows = 6;
        const int HeadSize = 10;
        using var sample = new Case(Rows, HeadSize);
        using var scratch = new Scratch(2 * CrossAttention.FloatsNeeded(Rows));
        using var alone = new NativeRows(1, HeadSize);
        CrossAttention.Backward(sample.Query.Pointer, sample.Keys, sample.Values, Scale, Weight, sample.Output.Pointer, scratch.Pointer, alone.Pointer, default, default);
        using var dQuery = new NativeRows(1, HeadSize, new Random(9));
        float[] before = dQuery.ToArray();
        CrossAttention.Backward(sample.Query.Pointer, sample.Keys, sample.Values, Scale, Weight, sample.Output.Pointer, scratch.Pointer, dQuery.Pointer, default, default);
        Assert.All(before.Zip(alone.ToArray(), (a, b) => a + b).Zip(dQuery.ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-6f));
        using var dValues = new NativeRows(Rows, HeadSize);
        CrossAttention.Backward(sample.Query.Pointer, sample.Keys, sample.Values, Scale, Weight, sample.Output.Pointer, scratch.Pointer, null, default, dValues.View);
        Assert.Contains(dValues.ToArray(), value => value != 0);
    }

    /// <summary>weight · softmax(scale · q·Kᵀ)·V of a point that has q, then K, then V.</summary>
    private static double[] Read(double[] point, int rows, int headSize)
    {
        double[] query = point[..headSize];
        double[] parts = [.. Enumerable.Range(0, rows).Select(row => Math.Exp(Scale * query.Zip(Row(1 + row), (a, b) => a * b).Sum()))];
        double[] result = new double[headSize];
        for (int row = 0; row < rows; row++)
        {
            double[] value = Row(1 + rows + row);
            for (int i = 0; i < headSize; i++)
            {
                result[i] += Weight * parts[row] / parts.Sum() * value[i];
            }
        }

        return result;

        double[] Row(int index) => point[(index * headSize)..((index + 1) * headSize)];
    }

    /// <summary>A query, rows that are columns of wider ones, as those of a head are, and what is added to.</summary>
    private sealed class Case : IDisposable
    {
        private readonly NativeRows _wide;
        private readonly int _headSize;

        public Case(int rows, int headSize)
        {
            var random = new Random(rows);
            _headSize = headSize;
            _wide = new NativeRows(rows, 3 * headSize, random, range: 2);
            Query = new NativeRows(1, headSize, random, range: 2);
            Output = new NativeRows(1, headSize, random);
        }

        public NativeRows Query { get; }

        public NativeRows Output { get; }

        public Rows Keys => _wide.View.Columns(_headSize, _headSize);

        public Rows Values => _wide.View.Columns(2 * _headSize, _headSize);

        public double[] Point => [.. Query.ToArray().Concat(Elements(Keys)).Concat(Elements(Values)).Select(value => (double)value)];

        public void Dispose()
        {
            _wide.Dispose();
            Query.Dispose();
            Output.Dispose();
        }

        private static IEnumerable<float> Elements(Rows rows) => Enumerable.Range(0, rows.Count).SelectMany(row => rows.Span(row).ToArray());
    }

    /// <summary>Scratch of numbers that must not matter, beyond which nothing may be written.</summary>
    private sealed class Scratch : IDisposable
    {
        private readonly NativeRows _floats;

        public Scratch(int floats)
        {
            _floats = new NativeRows(1, floats + 1);
            new Span<float>(_floats.Pointer, floats).Fill(float.NaN);
            _floats.Pointer[floats] = 7;
        }

        public float* Pointer => _floats.Pointer;

        public void Check() => Assert.Equal(7, Pointer[_floats.View.Width - 1]);

        public void Dispose() => _floats.Dispose();
    }
}
