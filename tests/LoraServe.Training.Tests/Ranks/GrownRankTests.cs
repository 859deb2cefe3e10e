using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods.Lora;
using LoraServe.Training.Optimizers;
using LoraServe.Training.Steps;
using LoraServe.Training.Tests.Methods;

namespace LoraServe.Training.Tests.Ranks;

public sealed class GrownRankTests : IDisposable
{
    private readonly TinyTraining _tiny = new();

    [Theory]
    [InlineData("lora", 0)]
    [InlineData("loraplus", 0)]
    [InlineData("rslora", 1e-4f)]
    [InlineData("dora", 1e-4f)]
    public void Grow_InTraining_ComputesTheSameAndGoesOn(string method, float tolerance)
    {
        using AdapterTraining training = _tiny.Train(_tiny.Create(method));
        double first = _tiny.Step(training, TinyTraining.Rows(3)).Loss;
        _tiny.Step(training, TinyTraining.Rows(3));
        float[] before = _tiny.Logits(training.Resident);
        float[] moments = [.. training.Optimizer.State.First(entry => entry.Key.EndsWith("lora_A.weight.first_moment", StringComparison.Ordinal)).Value];

        training.Grow(((TrainableLora)training.Adapter).Grown(6));

        Assert.All(before.Zip(_tiny.Logits(training.Resident)), pair => Assert.Equal(pair.First, pair.Second, tolerance));
        Assert.Equal(6, training.Adapter.Config["r"]!.GetValue<int>());
        float[] grown = training.Optimizer.State.First(entry => entry.Key.EndsWith("lora_A.weight.first_moment", StringComparison.Ordinal)).Value;
        Assert.Equal(moments, grown[..moments.Length]);
        Assert.All(grown[moments.Length..], value => Assert.Equal(0, value));
        double last = first;
        for (int step = 0; step < 10; step++)
        {
            last = _tiny.Step(training, TinyTraining.Rows(3)).Loss;
        }

        Assert.True(last < first, $"{first} became {last}");
    }

    [Theory]
    [InlineData(OptimizerKind.AdamW)]
    [InlineData(OptimizerKind.Sgd)]
    [InlineData(OptimizerKind.Lion)]
    [InlineData(OptimizerKind.Adafactor)]
    public void Grow_AMatrix_KeepsEveryEntryInItsPlace(OptimizerKind kind)
    {
        var optimizer = new Optimizer(new OptimizerOptions { Kind = kind, Beta1 = 0.9, Momentum = 0.9 });
        var from = new Parameter("p", [2, 2], [1, 2, 3, 4]);
        var to = new Parameter("p", [2, 3], new float[6]);
        new float[] { 1, 2, 3, 4 }.CopyTo(from.Gradient, 0);
        optimizer.Step([from], 0.1);
        Dictionary<string, float[]> before = optimizer.State.ToDictionary(entry => entry.Key, entry => entry.Value);

        optimizer.Grow(from, to);
        optimizer.Step([to], 0);

        foreach ((string name, float[] values) in before.Where(entry => entry.Value.Length == 4))
        {
            float[] grown = optimizer.State[name];
            Assert.Equal(6, grown.Length);
            Assert.Equal((0, 0), (grown[2], grown[5]));
            Assert.True(grown[0] / values[0] is > 0.5f and <= 1 && Math.Abs((grown[3] / values[2]) - (grown[0] / values[0])) < 1e-3, name);
        }
    }

    public void Dispose() => _tiny.Dispose();
}
