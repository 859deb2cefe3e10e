using System.Text.Json.Nodes;
using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Loading;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Models.Forward;
using LoraServe.Training.Options;
using LoraServe.Training.Steps;

namespace LoraServe.Training.Tests.Methods;

public sealed class GatedLoraTests : IDisposable
{
    private readonly TinyTraining _tiny = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("loraserve-").FullName;

    [Theory]
    [InlineData(GatePenalty.L1)]
    [InlineData(GatePenalty.HardConcrete)]
    public void Finish_SomeGatesClosed_SavesWhatIsLeftAsPlainLora(GatePenalty penalty)
    {
        using AdapterTraining training = Trained(penalty);
        Parameter[] gates = Gates(training);
        Array.Fill(gates[0].Values, penalty == GatePenalty.L1 ? 0 : -9);
        gates[1].Values[2] = penalty == GatePenalty.L1 ? 0.01f : -9;

        training.Finish();
        training.Adapter.Save(_folder);

        Adapter saved = AdapterLoader.Load(_folder, _tiny.Model);
        using ResidentAdapter served = _tiny.Model.Place(saved);
        Assert.Equal(_tiny.Logits(training.Resident), _tiny.Logits(served));
        Assert.Equal(gates.Length - 1, saved.Edits.Length);
        Assert.Equal(3, Assert.IsType<LowRank>(saved.Edits[0]).Rank);
        Assert.All(saved.Edits.Skip(1), edit => Assert.Equal(4, Assert.IsType<LowRank>(edit).Rank));
        Assert.All(saved.Edits, edit => Assert.Equal(2, ((LowRank)edit).Scale));
    }

    [Fact]
    public void Finish_EveryGateClosed_KeepsTheWidestTerm()
    {
        using AdapterTraining training = Trained(GatePenalty.L1);
        foreach (Parameter gate in Gates(training))
        {
            Array.Fill(gate.Values, 0.001f);
        }

        Gates(training)[3].Values[1] = -0.002f;
        training.Finish();

        Assert.Equal(1, Assert.IsType<LowRank>(Assert.Single(training.Adapter.Edits())).Rank);
    }

    [Fact]
    public void Step_AStrongPenalty_ClosesGatesThatDoNotPay()
    {
        using AdapterTraining training = _tiny.Train(_tiny.Create(Options(GatePenalty.L1) with { Gates = new GateOptions { Strength = 1 } }));
        for (int step = 0; step < 12; step++)
        {
            _tiny.Step(training, TinyTraining.Rows(3));
        }

        training.Finish();

        Assert.True(training.Adapter.Edits().Cast<LowRank>().Sum(pair => pair.Rank) < 4 * Gates(training).Length);
    }

    [Fact]
    public void Create_WithDora_IsRefused() => Assert.Contains(
        "gates go with plain pairs",
        Assert.Throws<TrainingOptionsException>(() => _tiny.Create(Options(GatePenalty.L1) with { PeftConfig = new JsonObject { ["use_dora"] = true } })).Message,
        StringComparison.Ordinal);

    public void Dispose()
    {
        _tiny.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static TrainingJobOptions Options(GatePenalty penalty) => TinyTraining.Options("gated") with { Gates = new GateOptions { Penalty = penalty } };

    private static Parameter[] Gates(AdapterTraining training) =>
        [.. training.Adapter.Parameters.Where(parameter => parameter.Name.EndsWith("lora_gate", StringComparison.Ordinal))];

    private AdapterTraining Trained(GatePenalty penalty)
    {
        AdapterTraining training = _tiny.Train(_tiny.Create(Options(penalty)));
        for (int step = 0; step < 3; step++)
        {
            _tiny.Step(training, TinyTraining.Rows(3));
        }

        foreach (Parameter gate in Gates(training))
        {
            Array.Fill(gate.Values, penalty == GatePenalty.L1 ? 0.9f : 2);
        }

        return training;
    }
}
