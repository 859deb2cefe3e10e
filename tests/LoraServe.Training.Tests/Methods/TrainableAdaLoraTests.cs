using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods.AdaLora;
using LoraServe.Training.Steps;

namespace LoraServe.Training.Tests.Methods;

public sealed class TrainableAdaLoraTests : IDisposable
{
    private readonly TinyTraining _tiny = new();

    [Fact]
    public void AfterStep_WholeRun_EndsWithTheBudget()
    {
        using AdapterTraining training = _tiny.Train(_tiny.Create("adalora"));
        var adaLora = (TrainableAdaLora)training.Adapter;

        for (int step = 0; step < 12; step++)
        {
            _tiny.Step(training, TinyTraining.Rows(step));
        }

        Assert.Equal(adaLora.Budget.TargetRanks, adaLora.Ranks.Sum());
        Assert.True(adaLora.Saved().Sum(parameter => parameter.Values.Length) < adaLora.Parameters.Sum(parameter => parameter.Values.Length));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(10)]
    public void Restore_StateOfAnInterruptedRun_GoesOnBitForBit(int interruption)
    {
        using AdapterTraining whole = _tiny.Train(_tiny.Create("adalora"), weightDecay: 0);
        using AdapterTraining resumed = _tiny.Train(_tiny.Create("adalora", seed: 50), weightDecay: 0);
        for (int step = 0; step < 12; step++)
        {
            if (step == interruption)
            {
                foreach ((Parameter from, Parameter to) in whole.Adapter.Parameters.Zip(resumed.Adapter.Parameters))
                {
                    from.Values.CopyTo(to.Values, 0);
                }

                resumed.Adapter.Restore(whole.Adapter.State);
                resumed.Optimizer.Restore(whole.Optimizer.State);
                resumed.Step = step;
            }

            _tiny.Step(whole, TinyTraining.Rows(step));
            if (step >= interruption)
            {
                _tiny.Step(resumed, TinyTraining.Rows(step));
            }
        }

        Assert.Equal(whole.Adapter.Saved().SelectMany(parameter => parameter.Values), resumed.Adapter.Saved().SelectMany(parameter => parameter.Values));
        Assert.Equal(whole.Adapter.Config.ToJsonString(), resumed.Adapter.Config.ToJsonString());
    }

    [Fact]
    public void Restore_StateOfAnotherShape_IsRefused()
    {
        var other = new Dictionary<string, float[]>(_tiny.Create(TinyTraining.Options("adalora") with { Rank = 2 }).State);

        Assert.Throws<InvalidDataException>(() => _tiny.Create("adalora").Restore(other));
    }

    public void Dispose() => _tiny.Dispose();
}
