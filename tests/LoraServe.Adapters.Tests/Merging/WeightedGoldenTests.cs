using System.Text.Json;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.LinearAlgebra;
using LoraServe.Adapters.Loading;
using LoraServe.Adapters.Merging;
using LoraServe.Adapters.Methods.Lora;
using LoraServe.Adapters.Tests.Reference;
using LoraServe.Compute.Files;
using LoraServe.Testing;
using LoraServe.Testing.Plain;

namespace LoraServe.Adapters.Tests.Merging;

/// <summary>The results of PEFT's <c>add_weighted_adapter</c> and its stacks.</summary>
public sealed class WeightedGoldenTests
{
    public static TheoryData<string> Cases() => [.. SharedFiles.Cases(PeftCases.Listed("weighted/index.json").Select(entry => entry.GetProperty("case").GetString()!))];

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Combine_CaseOfTheReference_GivesItsChangesAndLogits(string name)
    {
        using var index = JsonDocument.Parse(File.ReadAllBytes(PeftCases.Require("weighted/index.json")));
        JsonElement entry = index.RootElement.GetProperty("cases").EnumerateArray().First(item => item.GetProperty("case").GetString() == name);
        PlainModel model = PlainModel.Open(PeftCases.Require(entry.GetProperty("base").GetString()!));
        Adapter[] adapters = [.. entry.GetProperty("adapters").EnumerateArray().Select(path => AdapterLoader.Load(PeftCases.Require(path.GetString()!), model))];
        double[] weights = [.. entry.GetProperty("weights").EnumerateArray().Select(weight => weight.GetDouble())];
        string expectedPath = PeftCases.Require($"{entry.GetProperty("path").GetString()}/expected.safetensors");
        string type = entry.GetProperty("combination_type").GetString()!;
        if (type == "stack")
        {
            GoldenLogits.Check(new PlainForward(model), expectedPath, greedy: true, stack: [.. adapters.Zip(weights, (adapter, weight) => new PlainAdapter(adapter, weight))]);
            return;
        }

        using SafetensorsFile expected = SafetensorsFile.Open(expectedPath);
        int masks = 0;
        LowRank[] pairs = [.. AdapterCombination.Combine(
            [.. adapters.Zip(weights, (adapter, weight) => new WeightedAdapter(adapter, weight))],
            model,
            Options(type, entry),
            count =>
            {
                float[] mask = expected.Tensors[$"mask.{masks++}"].ToFloats();
                Assert.Equal(count, mask.Length);
                return Array.ConvertAll(mask, value => value != 0);
            })];
        Assert.Equal(expected.Tensors.Keys.Count(key => key.StartsWith("mask.", StringComparison.Ordinal)), type.StartsWith("dare", StringComparison.Ordinal) ? masks : 0);
        CheckChanges(pairs, model, expected);

        using var folder = new TemporaryDirectory();
        PeftWriter.Write(folder.Path, pairs, model);
        GoldenLogits.Check(new PlainForward(model), expectedPath, greedy: true, stack: new PlainAdapter(AdapterLoader.Load(folder.Path, model)));
    }

    private static CombinationOptions Options(string type, JsonElement entry) => new()
    {
        Method = CombinationOptions.FindMethod(type)!.Value,
        Density = entry.TryGetProperty("density", out JsonElement density) ? density.GetDouble() : 1,
        Rank = entry.TryGetProperty("svd_rank", out JsonElement rank) ? rank.GetInt32() : null,
        ElectByFrequency = entry.TryGetProperty("majority_sign_method", out JsonElement method) && method.GetString() == "frequency",
    };

    private static void CheckChanges(LowRank[] pairs, PlainModel model, SafetensorsFile expected)
    {
        foreach (string key in expected.Tensors.Keys.Where(key => key.StartsWith("delta.", StringComparison.Ordinal)))
        {
            BaseModule module = model.Modules.Single(module => key == $"delta.{module.Path}");
            LowRank pair = pairs.Single(pair => pair.Site == module.Site);
            var change = new FloatMatrix(module.Outputs, module.Inputs);
            LowRankProduct.Add(change, pair.A, pair.B, pair.Scale);
            float worst = change.Values.Zip(expected.Tensors[key].ToFloats(), (a, b) => Math.Abs(a - b)).Max();
            Assert.True(worst < 1e-4, $"{key} differs by {worst}");
        }
    }
}
