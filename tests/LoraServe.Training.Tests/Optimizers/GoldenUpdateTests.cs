using LoraServe.Adapters.Gradients;
using LoraServe.Compute.Tensors;
using LoraServe.Training.Optimizers;

namespace LoraServe.Training.Tests.Optimizers;

/// <summary>First updates and learning rates as PyTorch and transformers make them.</summary>
public sealed class GoldenUpdateTests
{
    /// <summary>Of the largest entry. Adam turns a gradient near zero into a whole step, so its rounding shows.</summary>
    private const double Tolerance = 1e-6;

    public static TheoryData<string> Cases => TrainingCase.Names();

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Step_FromTheFirstGradient_GivesTheFirstUpdate(string name)
    {
        TrainingCase golden = TrainingCase.Load(name);
        List<Parameter> parameters = golden.Parameters;
        Assert.NotEmpty(parameters);

        double norm = GradientClipping.Clip(parameters, golden.MaximumNorm);
        new Optimizer(golden.Options).Step(parameters, golden.LearningRate.At(0));

        Assert.Equal(golden.Expected["grad_norms"].ToFloats()[0], norm, 1e-5 * norm);
        foreach (Parameter parameter in parameters)
        {
            float[] expected = golden.Expected[$"after1.{parameter.Name}"].ToFloats();
            double largest = expected.Max(Math.Abs);
            Assert.All(parameter.Values.Zip(expected), pair => Assert.Equal(pair.Second, pair.First, Tolerance * largest));
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void At_EveryStep_IsTheRateThatWasUsed(string name)
    {
        TrainingCase golden = TrainingCase.Load(name);
        double[] rates = Doubles(golden.Expected["lrs"]);

        Assert.NotEmpty(rates);
        Assert.All(rates.Select((rate, step) => (rate, step)), item => Assert.Equal(item.rate, golden.LearningRate.At(item.step), 1e-15));
    }

    private static unsafe double[] Doubles(Tensor tensor) => new ReadOnlySpan<double>((void*)tensor.Data, checked((int)tensor.ElementCount)).ToArray();
}
