using System.Text.Json.Nodes;
using LoraServe.Testing;
using LoraServe.Training.Methods;

namespace LoraServe.Training.Tests;

/// <summary>Every run of fixtures/training is followed step by step.</summary>
public sealed class GoldenRunTests
{
    private const string Folder = "fixtures/training";

    public static TheoryData<string> Cases => [.. SharedFiles.FolderNames(Folder).Where(name => SharedFiles.TryGet($"{Folder}/{name}/case.json") is not null)];

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Run_GivesTheReferencesLossesAndWeights(string name) => Follow(name, (run, training) => run.Check(training, checkpointsActivations: false));

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void FirstStep_GivesTheReferencesGradients(string name) => Follow(name, (run, training) => run.CheckFirstGradient(training, checkpointsActivations: false));

    private static void Follow(string name, Action<GoldenRun, AdapterTraining> check)
    {
        using var run = new GoldenRun(SharedFiles.Require($"{Folder}/{name}"));
        Skip.If(SharedFiles.TryGet($"{Folder}/{name}/initial/adapter_config.json") is null, $"{name} is not an adapter of one part");
        JsonObject config = run.Config();
        string type = config["peft_type"]?.GetValue<string>() ?? "a bottleneck";
        Skip.IfNot(TrainableMethods.Types.Contains(type) && run.Case["method"]!.GetValue<string>() is not ("dpo" or "orpo" or "kto" or "qlora") && config["encoder_reparameterization_type"]?.GetValue<string>() != "LSTM", $"{name}: {type} cannot be trained yet");
        TrainableAdapter adapter = TrainableMethods.Create(config, run.Model.Transformer, new TrainableOptions { RateRatioOfB = run.Case["optimizer"]!["ratio"]?.GetValue<float>() ?? 1 });
        run.SetInitial(adapter);
        using AdapterTraining training = run.Training(adapter);
        check(run, training);
    }
}
