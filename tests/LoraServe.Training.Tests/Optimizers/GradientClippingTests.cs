using LoraServe.Adapters.Gradients;
using LoraServe.Training.Optimizers;

namespace LoraServe.Training.Tests.Optimizers;

public sealed class GradientClippingTests
{
    [Fact]
    public void Clip_OfALongGradient_ScalesAllTensorsAlike()
    {
        Parameter[] parameters = [Parameter(3, 0), Parameter(4)];

        double norm = GradientClipping.Clip(parameters, 1);

        Assert.Equal(5, norm);
        Assert.Equal(3 / 5.000001, parameters[0].Gradient[0], 1e-7);
        Assert.Equal(4 / 5.000001, parameters[1].Gradient[0], 1e-7);
    }

    [Theory]
    [InlineData(6)]
    [InlineData(double.PositiveInfinity)]
    public void Clip_OfAShortGradient_LeavesIt(double maximum)
    {
        Parameter[] parameters = [Parameter(3), Parameter(4)];

        Assert.Equal(5, GradientClipping.Clip(parameters, maximum));
        Assert.Equal([3f, 4f], parameters.SelectMany(parameter => parameter.Gradient));
    }

    [Fact]
    public void Clip_OfManyValues_SumsInDouble()
    {
        Parameter[] parameters = [Parameter([.. Enumerable.Repeat(1e-4f, 1_000_003)]), Parameter(1e4f)];

        Assert.Equal(Math.Sqrt(((double)1e-4f * 1e-4f * 1_000_003) + 1e8), GradientClipping.Clip(parameters), 1e-9);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Clip_OfAValueThatIsNotFinite_SaysSo(float value) => Assert.False(double.IsFinite(GradientClipping.Clip([Parameter(1, value)], 1)));

    private static Parameter Parameter(params float[] gradient)
    {
        var parameter = new Parameter("w", [gradient.Length], new float[gradient.Length]);
        gradient.CopyTo(parameter.Gradient, 0);
        return parameter;
    }
}
