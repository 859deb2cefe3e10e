using LoraServe.Adapters.Gradients;
using LoraServe.Testing;
using LoraServe.Training.Optimizers;

namespace LoraServe.Training.Tests.Optimizers;

public sealed class OptimizerTests
{
    public static TheoryData<OptimizerKind> Kinds { get; } = [.. Enum.GetValues<OptimizerKind>()];

    [Fact]
    public void AdamW_TwoSteps_IsTheFormula()
    {
        var options = new OptimizerOptions { Beta1 = 0.5, Beta2 = 0.75, Epsilon = 0.125, WeightDecay = 0.1 };

        // m 1, v 1 → m̂ 2, v̂ 4; m 0.5, v 0.75 → m̂ 2/3, v̂ 12/7.
        double first = (1 * (1 - (0.5 * 0.1))) - (0.5 * 2 / (2 + 0.125));
        double second = (first * (1 - (0.25 * 0.1))) - (0.25 * (0.5 / 0.75) / (Math.Sqrt(0.75 / 0.4375) + 0.125));
        AssertSteps(options, [1], [(2, 0.5), (0, 0.25)], [first, second]);
    }

    [Fact]
    public void Sgd_TwoSteps_IsTheFormula()
    {
        var options = new OptimizerOptions { Kind = OptimizerKind.Sgd, Momentum = 0.5, WeightDecay = 0.25 };

        // g 2 + 0.25·1; then m = 0.5·2.25 + (4 + 0.25·0.775).
        const double First = 1 - (0.1 * 2.25);
        const double Second = First - (0.2 * ((0.5 * 2.25) + 4 + (0.25 * First)));
        AssertSteps(options, [1], [(2, 0.1), (4, 0.2)], [First, Second]);
    }

    [Fact]
    public void Lion_ThreeSteps_IsTheFormula()
    {
        var options = new OptimizerOptions { Kind = OptimizerKind.Lion, Beta1 = 0.5, Beta2 = 0.75, WeightDecay = 0.5 };

        // m 0 → 0.25; then 0.125 − 0.25 < 0 and m 0.0625; then 0.03125 + (−0.03125) = 0.
        const double First = (1 * (1 - 0.05)) - 0.1;
        const double Second = (First * (1 - 0.05)) + 0.1;
        const double Third = Second * (1 - 0.05);
        AssertSteps(options, [1], [(1, 0.1), (-0.5, 0.1), (-0.0625, 0.1)], [First, Second, Third]);
    }

    [Fact]
    public void Adafactor_OfAMatrix_FactorsTheSecondMoment()
    {
        var parameter = new Parameter("w", [2, 2], [0, 0, 0, 0]);
        new float[] { 1, 1, 1, 3 }.CopyTo(parameter.Gradient, 0);
        new Optimizer(new OptimizerOptions { Kind = OptimizerKind.Adafactor, ClipThreshold = 100 }).Step([parameter], 1);

        // Squares 1 1 / 1 9: rows 1, 5 and columns 1, 5 of mean 3; v̂ = row · column / 3.
        double[] expected = [-Math.Sqrt(3), -Math.Sqrt(3.0 / 5), -Math.Sqrt(3.0 / 5), -3 * Math.Sqrt(3) / 5];
        Assert.All(expected.Zip(parameter.Values), pair => Assert.Equal(pair.First, pair.Second, 1e-6));
    }

    [Fact]
    public void Adafactor_OfAnUpdateAboveTheThreshold_ScalesItDown()
    {
        var parameter = new Parameter("w", [4], new float[4]);
        parameter.Gradient.AsSpan().Fill(7);
        new Optimizer(new OptimizerOptions { Kind = OptimizerKind.Adafactor, ClipThreshold = 0.5 }).Step([parameter], 0.1);

        Assert.All(parameter.Values, value => Assert.Equal(-0.05, value, 1e-7));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Step_OfThreeDimensions_TreatsEachMatrixAlone(OptimizerKind kind)
    {
        var options = new OptimizerOptions { Kind = kind, ClipThreshold = 100 };
        Parameter whole = Random("whole", 1, [2, 3, 4]);
        var halves = new Parameter[] { Half(0), Half(1) };
        new Optimizer(options).Step([whole], 0.1);
        new Optimizer(options).Step(halves, 0.1);

        Assert.Equal(whole.Values, halves.SelectMany(half => half.Values));

        Parameter Half(int index)
        {
            var half = new Parameter($"half {index}", [3, 4], whole.Values[(index * 12)..][..12]);
            whole.Gradient.AsSpan(index * 12, 12).CopyTo(half.Gradient);
            return half;
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Step_WithFactorAndWithoutDecay_IsAnotherRateAndNoDecay(OptimizerKind kind)
    {
        Parameter plain = Random("w", 5, [7, 9]);
        Parameter special = new("w", [7, 9], [.. plain.Values]) { RateFactor = 4, Decays = false };
        plain.Gradient.CopyTo(special.Gradient, 0);
        new Optimizer(new OptimizerOptions { Kind = kind, WeightDecay = 0 }).Step([plain], 0.5);
        new Optimizer(new OptimizerOptions { Kind = kind, WeightDecay = 0.5 }).Step([special], 0.125);

        Assert.Equal(plain.Values, special.Values);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Restore_OfTheState_ContinuesBitForBit(OptimizerKind kind)
    {
        var options = new OptimizerOptions { Kind = kind, Beta1 = 0.9, Momentum = 0.9, WeightDecay = 0.01 };
        Parameter[] parameters = [Random("a", 1, [5, 300]), Random("b", 2, [2000])];
        var optimizer = new Optimizer(options);
        Run(optimizer, parameters, 0, 3);
        Dictionary<string, float[]> state = optimizer.State.ToDictionary(entry => entry.Key, entry => entry.Value.ToArray());
        Parameter[] copies = [.. parameters.Select(parameter => new Parameter(parameter.Name, [.. parameter.Shape], [.. parameter.Values]))];
        Run(optimizer, parameters, 3, 3);

        var resumed = new Optimizer(options);
        resumed.Restore(state);
        Run(resumed, copies, 3, 3);

        Assert.All(parameters.Zip(copies), pair => Assert.Equal(pair.First.Values, pair.Second.Values));
        Assert.All(optimizer.State, entry => Assert.Equal(entry.Value, resumed.State[entry.Key]));
    }

    [Fact]
    public void Restore_OfAnotherSize_IsRefusedByName()
    {
        var optimizer = new Optimizer(new OptimizerOptions());
        optimizer.Restore(new Dictionary<string, float[]> { ["w.step"] = new float[1], ["w.first_moment"] = new float[6] });

        string message = Assert.Throws<InvalidDataException>(() => optimizer.Step([Random("w", 1, [2, 4])], 1)).Message;

        Assert.Contains("w.first_moment has 6 values; expected 8 for [2, 4]", message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Step_AfterTheFirst_AllocatesNothing(OptimizerKind kind)
    {
        Parameter[] parameters = [Random("a", 1, [40, 30]), Random("b", 2, [50])];
        var optimizer = new Optimizer(new OptimizerOptions { Kind = kind, Momentum = 0.9 });

        Assert.Equal(0, Allocations.OfEach(() => optimizer.Step(parameters, 0.1)));
    }

    [Fact]
    public void Constants_OutOfRange_AreRefused()
    {
        OptimizerOptions[] wrong =
        [
            new() { Beta1 = 1 }, new() { Beta2 = -0.1 }, new() { Momentum = double.NaN }, new() { Epsilon = -1 }, new() { WeightDecay = -1 },
            new() { WeightDecay = double.PositiveInfinity }, new() { DecayExponent = 0 }, new() { ClipThreshold = 0 }, new() { Kind = (OptimizerKind)99 },
        ];
        Assert.All(wrong, options => Assert.Throws<ArgumentException>(() => new Optimizer(options)));
    }

    private static void AssertSteps(OptimizerOptions options, float[] start, (double Gradient, double Rate)[] steps, double[] expected)
    {
        var parameter = new Parameter("w", [start.Length], start);
        var optimizer = new Optimizer(options);
        foreach (((double gradient, double rate), double value) in steps.Zip(expected))
        {
            parameter.Gradient[0] = (float)gradient;
            optimizer.Step([parameter], rate);
            Assert.Equal(value, parameter.Values[0], 1e-6);
        }
    }

    private static void Run(Optimizer optimizer, Parameter[] parameters, int firstStep, int steps)
    {
        for (int step = firstStep; step < firstStep + steps; step++)
        {
            var random = new Random(step);
            foreach (Parameter parameter in parameters)
            {
                Fill(random, parameter.Gradient);
            }

            optimizer.Step(parameters, 0.01 * (step + 1));
        }
    }

    private static Parameter Random(string name, int seed, int[] shape)
    {
        var random = new Random(seed);
        float[] values = new float[shape.Aggregate(1, (product, length) => product * length)];
        Fill(random, values);
        var parameter = new Parameter(name, shape, values);
        Fill(random, parameter.Gradient);
        return parameter;
    }

    private static void Fill(Random random, float[] values)
    {
        foreach (ref float value in values.AsSpan())
        {
            value = (random.NextSingle() * 2) - 1;
        }
    }
}
