using LoraServe.Models.Spec;

namespace LoraServe.Models.Tests.Spec;

public class RopeSpecTests
{
    private const int HeadSize = 16;
    private static readonly RopeSpec s_plain = new() { Theta = 10_000, OriginalContext = 32 };

    [Fact]
    public void InverseFrequencies_Plain_AreTheGeometricSeries()
    {
        float[] expected = [.. Enumerable.Range(0, HeadSize / 2).Select(i => (float)Math.Pow(10_000, -2.0 * i / HeadSize))];
        AssertClose(expected, Frequencies(s_plain));
    }

    [Fact]
    public void InverseFrequencies_Linear_AreDividedByTheFactor()
    {
        float[] plain = Frequencies(s_plain);
        AssertClose([.. plain.Select(frequency => frequency / 4)], Frequencies(s_plain with { Scaling = RopeScaling.Linear, Factor = 4 }));
    }

    [Fact]
    public void InverseFrequencies_Dynamic_GrowTheBaseOnlyBeyondTheOriginalContext()
    {
        RopeSpec dynamic = s_plain with { Scaling = RopeScaling.Dynamic, Factor = 4 };
        Assert.True(dynamic.DependsOnLength);
        Assert.Equal(Frequencies(s_plain), Frequencies(dynamic, length: 32));
        double theta = 10_000 * Math.Pow((4 * 48 / 32.0) - 3, HeadSize / (HeadSize - 2.0));
        AssertClose([.. Enumerable.Range(0, HeadSize / 2).Select(i => (float)Math.Pow(theta, -2.0 * i / HeadSize))], Frequencies(dynamic, length: 48));
    }

    [Fact]
    public void InverseFrequencies_Yarn_RampFromKeptToInterpolated()
    {
        // Over 32 tokens 32 turns need dimension −1.6, one turn 1.4: the ramp goes from 0 to 2.
        RopeSpec yarn = s_plain with { Scaling = RopeScaling.Yarn, Factor = 4 };
        double[] keep = [1, 0.5, 0, 0, 0, 0, 0, 0];
        float[] plain = Frequencies(s_plain);
        AssertClose([.. plain.Select((frequency, i) => (float)(frequency * (keep[i] + ((1 - keep[i]) / 4))))], Frequencies(yarn));
    }

    [Fact]
    public void InverseFrequencies_Llama3_InterpolateByWaveLength()
    {
        // Wave lengths below 8 are kept, above 32 divided by 8; the second of the series (19.9) lies between.
        RopeSpec llama3 = s_plain with { Scaling = RopeScaling.Llama3, Factor = 8, LowFrequencyFactor = 1, HighFrequencyFactor = 4 };
        float[] plain = Frequencies(s_plain);
        double smooth = ((32 * plain[1] / (2 * Math.PI)) - 1) / 3;
        float[] expected = [.. plain.Select((frequency, i) => i == 0 ? frequency : i == 1 ? (float)(frequency * (smooth + ((1 - smooth) / 8))) : frequency / 8)];
        AssertClose(expected, Frequencies(llama3));
    }

    [Fact]
    public void InverseFrequencies_WithDivisors_AreDividedOneByOne()
    {
        RopeSpec divided = s_plain with { Divisors = [1, 2, 3, 4, 5, 6, 7, 8] };
        AssertClose([.. Frequencies(s_plain).Select((frequency, i) => frequency / (i + 1))], Frequencies(divided));
    }

    private static float[] Frequencies(RopeSpec rope, int length = 1)
    {
        float[] frequencies = new float[HeadSize / 2];
        rope.InverseFrequencies(length, frequencies);
        return frequencies;
    }

    private static void AssertClose(float[] expected, float[] actual) =>
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 2e-6 * pair.First));
}
