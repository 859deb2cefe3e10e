using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Loading;
using LoraServe.Adapters.Methods;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Models;
using LoraServe.Testing;
using LoraServe.Training.Methods;
using LoraServe.Training.Options;

namespace LoraServe.Training.Tests.Methods;

/// <summary>What training saves is what serving loads, for every method of the catalogue.</summary>
public sealed class SavedMethodsTests
{
    public static TheoryData<string> Names => [.. MethodTable.Variants.Where(method => !method.MakesModel).Select(method => method.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Save_ChangedParameters_LoadAsTheSameEdits(string method)
    {
        using Transformer model = TinyModel.Create(3);
        var options = new TrainingJobOptions { Method = method, Rank = 4, VirtualTokens = 3, Seed = 5 };
        var context = new TrainableContext(model) { BaseName = "some/base", TotalSteps = 20 };
        TrainableAdapter adapter = MethodCatalog.Create(options, context);
        var random = new Random(1);
        foreach (Parameter parameter in adapter.Parameters)
        {
            for (int i = 0; i < parameter.Values.Length; i++)
            {
                parameter.Values[i] += 0.1f * (random.NextSingle() - 0.5f);
            }
        }

        string directory = Path.Combine(Path.GetTempPath(), $"loraserve-{Guid.NewGuid():n}");
        try
        {
            adapter.Save(directory);
            (string Key, float[] Values)[] trained = [.. adapter.Edits().SelectMany(Values).OrderBy(entry => entry.Key, StringComparer.Ordinal)];

            // The pair that PEFT needs beside biases is zero, and nothing that is trained.
            IEnumerable<AdapterEdit> edits = AdapterLoader.Load(directory, model).Edits.Where(edit => method != "bitfit" || edit is BiasDelta);
            (string Key, float[] Values)[] loaded = [.. edits.SelectMany(Values).OrderBy(entry => entry.Key, StringComparer.Ordinal)];
            Assert.Equal(trained.Select(entry => entry.Key), loaded.Select(entry => entry.Key));
            foreach (((string key, float[] expected), (_, float[] actual)) in trained.Zip(loaded))
            {
                Assert.True(expected.Zip(actual).All(pair => Math.Abs(pair.First - pair.Second) <= 1e-6), key);
            }

            JsonObject config = JsonNode.Parse(File.ReadAllText(Path.Combine(directory, "adapter_config.json")))!.AsObject();
            Assert.Equal("some/base", (config["base_model_name_or_path"] ?? config["model_name"])!.GetValue<string>());

            // An encoder is not saved, only what it made: such an adapter cannot be trained on. Gates have gone into A.
            if (method != "gated" && !adapter.Parameters.Any(parameter => parameter.Name.StartsWith("prompt_encoder", StringComparison.Ordinal)))
            {
                TrainableAdapter again = MethodCatalog.Create(options with { Seed = 6, InitFrom = directory }, context);
                Assert.All(adapter.Parameters.Zip(again.Parameters), pair => Assert.Equal(pair.First.Values, pair.Second.Values));
            }
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static IEnumerable<(string Key, float[] Values)> Values(AdapterEdit edit) => edit switch
    {
        LowRank pair => [($"{pair.Site} A", Scaled(pair.A.Values, 1)), ($"{pair.Site} B", Scaled(pair.B.Values, pair.Scale))],
        SharedLowRank shared => [($"{shared.Site} d", shared.RankScale), ($"{shared.Site} b", shared.ProductScale), ($"{shared.Site} A", shared.A.Values.Values), ($"{shared.Site} B", shared.B.Values.Values)],
        InputScale scale => [($"{scale.Site} input", scale.Values)],
        InputRotation rotation => [.. rotation.Factors.Select((factor, k) => ($"{rotation.Site} rotation {k}", factor.Changes.Values))],
        OutputRotation rotation => [($"{rotation.Site} output rotation", rotation.Factor.Changes.Values)],
        DenseDelta dense => [($"{dense.Site} dense", dense.Values.Values)],
        OutputScale scale => [($"{scale.Site} output", scale.Values)],
        BiasDelta bias => [($"{bias.Site} Bias", bias.Values)],
        NormDelta norm => [($"{norm.Site}", norm.Values)],
        VirtualTokens tokens => [("rows", tokens.Rows.Values)],
        PrefixKeyValue prefix => [($"prefix {prefix.Layer} K", prefix.Keys.Values), ($"prefix {prefix.Layer} V", prefix.Values.Values)],
        PromptAttention prompt => [($"prompt {prompt.Layer} {prompt.Place} K", prompt.Keys.Values), ($"prompt {prompt.Layer} V", prompt.Values.Values)],
        Bottleneck bottleneck =>
        [
            ($"bottleneck {bottleneck.Layer} {bottleneck.Place} {bottleneck.Input} {bottleneck.Activation} down", [.. bottleneck.Down.Values, .. bottleneck.DownBias]),
            ($"bottleneck {bottleneck.Layer} {bottleneck.Place} up", [.. bottleneck.Up.Values, .. bottleneck.UpBias, .. bottleneck.Scale]),
        ],
        _ => throw new InvalidOperationException($"{edit.GetType().Name} is not compared."),
    };

    private static float[] Scaled(float[] values, float scale) => Array.ConvertAll(values, value => value * scale);
}
