using LoraServe.Adapters.Methods.Lora;
using LoraServe.Adapters.Methods.Training;

namespace LoraServe.Adapters.Tests.Methods.Lora;

public sealed class RankGatesTests
{
    private const double Step = 1e-6;
    private const int Inputs = 5;
    private static readonly double[] s_parameters = [-3, -0.7, 0.4, 1.3, 2.5, 0.1];

    public static TheoryData<GatePenalty> Penalties { get; } = [.. Enum.GetValues<GatePenalty>()];

    [Theory]
    [MemberData(nameof(Penalties))]
    public void Pull_LossOfGatedRowsWithPenalty_AgreesWithFiniteDifferences(GatePenalty penalty)
    {
        for (ulong step = 0; step < 8; step++)
        {
            CheckDerivatives(new RankGates<double>(penalty, 0.3), step);
        }
    }

    [Theory]
    [MemberData(nameof(Penalties))]
    public void Rest_OfTheStart_IsOpen(GatePenalty penalty)
    {
        var gates = new RankGates<float>(penalty, 1);
        float[] values = new float[1];

        gates.Rest([gates.Start], values);

        Assert.Equal(1, values[0]);
    }

    [Fact]
    public void Sample_SeedAndStep_DecideTheNoise()
    {
        Assert.Equal(Sample(1, 2), Sample(1, 2));
        Assert.NotEqual(Sample(1, 2), Sample(1, 3));
        Assert.NotEqual(Sample(1, 2), Sample(2, 2));
    }

    [Theory]
    [InlineData(-1.5)]
    [InlineData(0)]
    [InlineData(2)]
    public void AddPenalty_HardConcrete_IsTheShareOfGatesThatOpen(double logAlpha)
    {
        const int Draws = 20_000;
        var gates = new RankGates<double>(GatePenalty.HardConcrete, 1);
        double[] parameters = [.. Enumerable.Repeat(logAlpha, Draws)];
        double[] values = new double[Draws];
        gates.Sample(parameters, 7, 0, values, new double[Draws]);

        double expected = gates.AddPenalty(parameters, new double[Draws]) / Draws;

        Assert.Equal(expected, values.Count(value => value != 0) / (double)Draws, 0.02);
        Assert.All(values, value => Assert.InRange(value, 0, 1));
    }

    [Fact]
    public void AddPenalty_DescendedAlone_ClosesHardConcreteGates()
    {
        var gates = new RankGates<float>(GatePenalty.HardConcrete, 1);
        float[] parameters = [gates.Start, 0];
        for (int step = 0; step < 200; step++)
        {
            float[] gradient = new float[2];
            gates.AddPenalty(parameters, gradient);
            parameters = [.. parameters.Zip(gradient, (value, slope) => value - slope)];
        }

        float[] values = new float[2];
        gates.Rest(parameters, values);
        Assert.Equal([0, 0], values);
    }

    private static double[] Sample(ulong seed, ulong step)
    {
        double[] values = new double[s_parameters.Length];
        new RankGates<double>(GatePenalty.HardConcrete, 1).Sample(s_parameters, seed, step, values, new double[values.Length]);
        return values;
    }

    private static void CheckDerivatives(RankGates<double> gates, ulong step)
    {
        int rank = s_parameters.Length;
        double[] a = Numbers(11, rank * Inputs);
        double[] weights = Numbers(12, rank * Inputs);
        double[] values = new double[rank];
        double[] slopes = new double[rank];
        double[] gated = new double[a.Length];
        gates.Sample(s_parameters, 5, step, values, slopes);
        RankGates<double>.Apply(values, a, gated);

        // The loss is Σ w·sin(A′) and the penalty.
        double[] gatedGradient = [.. gated.Zip(weights, (value, weight) => weight * Math.Cos(value))];
        double[] aGradient = new double[a.Length];
        double[] gradient = new double[rank];
        RankGates<double>.Pull(values, slopes, a, gatedGradient, aGradient, gradient);
        gates.AddPenalty(s_parameters, gradient);

        AssertDerivatives(aGradient, a, moved => Loss(gates, s_parameters, moved, weights, step));
        AssertDerivatives(gradient, s_parameters, moved => Loss(gates, moved, a, weights, step));
    }

    private static double Loss(RankGates<double> gates, double[] parameters, double[] a, double[] weights, ulong step)
    {
        double[] values = new double[parameters.Length];
        double[] gated = new double[a.Length];
        gates.Sample(parameters, 5, step, values, new double[parameters.Length]);
        RankGates<double>.Apply(values, a, gated);
        return gated.Zip(weights, (value, weight) => weight * Math.Sin(value)).Sum() + gates.AddPenalty(parameters, new double[parameters.Length]);
    }

    private static void AssertDerivatives(double[] derivatives, double[] at, Func<double[], double> loss)
    {
        for (int i = 0; i < at.Length; i++)
        {
            double[] up = [.. at];
            double[] down = [.. at];
            up[i] += Step;
            down[i] -= Step;
            Assert.Equal((loss(up) - loss(down)) / (2 * Step), derivatives[i], 1e-7);
        }
    }

    private static double[] Numbers(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (random.NextDouble() * 2) - 1)];
    }
}
