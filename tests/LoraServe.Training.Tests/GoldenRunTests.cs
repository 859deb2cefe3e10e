using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods.AdaLora;
using LoraServe.Adapters.Methods.Full;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Testing;
using LoraServe.Training.Steps;

namespace LoraServe.Training.Tests;

/// <summary>Every run of fixtures/training is followed step by step.</summary>
public sealed class GoldenRunTests
{
    private const string Folder = "fixtures/training";

    public static TheoryData<string, string> Cases => Named(_ => true);

    public static TheoryData<string, string> RunsOfAdaLora => Named(run => run.Case["adalora"] is not null);

    public static TheoryData<string, string> RunsOfSeveral => Named(run => run.Case["adapters"] is not null);

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Run_GivesTheReferencesLossesAndWeights(string device, string name) => Follow(device, name, (run, training) => run.Check(training, checkpointsActivations: false));

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void FirstStep_GivesTheReferencesGradients(string device, string name) => Follow(device, name, (run, training) => run.CheckFirstGradient(training, checkpointsActivations: false));

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Saved_AtTheStart_HasTheTensorsOfTheReferencesFiles(string device, string name) => Follow(device, name, (run, training) =>
    {
        Skip.If(training.Adapter is TrainableWeights, $"{name} begins with the base");
        run.CheckSaved(training.Adapter);
    });

    [SkippableTheory]
    [MemberData(nameof(RunsOfAdaLora))]
    public void Run_OfAdaLora_TakesTheRanksThatTheReferenceTakes(string device, string name) => Follow(device, name, (run, training) =>
    {
        var adaLora = (TrainableAdaLora)training.Adapter;
        float[] ranks = [];
        run.Check(training, checkpointsActivations: false, step =>
        {
            ranks = [.. ranks, .. adaLora.Ranks.Select(rank => (float)rank)];
            Assert.Equal(run.Expected("budget")[step], adaLora.Budget.At(step));
            foreach (Parameter parameter in training.Adapter.Parameters.Where(parameter => run.Has($"score{step}.{parameter.Name}")))
            {
                float[] sensitivity = adaLora.State[$"{parameter.Name}.sensitivity"];
                float[] uncertainty = adaLora.State[$"{parameter.Name}.uncertainty"];
                GoldenRun.AssertClose($"score{step}.{parameter.Name}", run.Expected($"score{step}.{parameter.Name}"), [.. sensitivity.Zip(uncertainty, (a, b) => a * b)]);
            }
        });
        Assert.Equal(run.Expected("ranks"), ranks);
    });

    [SkippableTheory]
    [MemberData(nameof(RunsOfSeveral))]
    public void Run_OfSeveralInOnePass_GivesEachTheBitsOfItsOwnRun(string device, string name)
    {
        using var run = new GoldenRun(SharedFiles.Require($"{Folder}/{name}"), Devices.Named(device).Require());
        run.CheckSeveral();
    }

    private static void Follow(string device, string name, Action<GoldenRun, AdapterTraining> check)
    {
        using var run = new GoldenRun(SharedFiles.Require($"{Folder}/{name}"), Devices.Named(device).Require());
        Skip.If(run.Case["adapters"] is not null, $"{name} is a run of several adapters");
        TrainableAdapter? adapter = run.Adapter();
        Skip.If(adapter is null, $"{name} cannot be trained yet");
        using AdapterTraining training = run.Training(adapter!);
        check(run, training);
    }

    private static TheoryData<string, string> Named(Func<GoldenRun, bool> isWanted) =>
        Devices.With(SharedFiles.Cases(SharedFiles.FolderNames(Folder).Where(name => SharedFiles.TryGet($"{Folder}/{name}/case.json") is not null && IsWanted(name, isWanted))));

    private static bool IsWanted(string name, Func<GoldenRun, bool> isWanted)
    {
        using var run = new GoldenRun(SharedFiles.Require($"{Folder}/{name}"));
        return isWanted(run);
    }
}
