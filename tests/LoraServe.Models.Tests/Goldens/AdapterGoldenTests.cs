using System.Text.Json;
using LoraServe.Adapters.Loading;
using LoraServe.Compute;
using LoraServe.Models.Forward;
using LoraServe.Testing;

namespace LoraServe.Models.Tests.Goldens;

/// <summary>Adapters on small bases as PEFT computes them, through the paged cache and in mixed batches.</summary>
public class AdapterGoldenTests
{
    private const string Root = "fixtures/peft";
    private const float Tolerance = 2e-4f;
    private static readonly string[] s_bases = ["llama", "qwen2", "gpt2"];
    private static readonly ModelLoadOptions s_exact = new() { Arithmetic = Arithmetic.Exact };

    /// <summary>Cases that are no change of this base.</summary>
    public static IReadOnlyList<string> Refused { get; } = ["llama/bottleneck-invertible", "llama/lora-layer-replication"];

    public static TheoryData<string, string> Cases()
    {
        if (SharedFiles.TryGet($"{Root}/index.json") is not { } index)
        {
            return Devices.With(["llama/lora-qv"]);
        }

        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(index));
        return Devices.With(document.RootElement.GetProperty("cases").EnumerateArray()
            .Where(entry => s_bases.Contains(entry.GetProperty("base").GetString()))
            .Select(entry => entry.GetProperty("path").GetString()!)
            .Where(path => !Refused.Contains(path)));
    }

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Forward_AdapterOfTheReference_GivesItsLogitsAndGreedyIds(string device, string path)
    {
        string folder = SharedFiles.Require($"{Root}/{path}");
        using LoadedModel model = ModelLoader.Load(Devices.Named(device).Require(), SharedFiles.Require($"{Root}/bases/{path.Split('/')[0]}"), s_exact);
        using var golden = new Golden(Path.Combine(folder, "expected.safetensors"));
        using var harness = new ForwardHarness(model.Transformer, workers: 2);
        foreach (int i in golden.Indices(i => $"prompt.{i}"))
        {
            int[] prompt = golden.Ids($"prompt.{i}");
            using ResidentAdapter adapter = golden.Has($"task.{i}")
                ? GoldenAdapters.LoadTask(folder, golden.Ids($"task.{i}")[0], model.Transformer)
                : GoldenAdapters.Load(folder, model.Transformer);
            AdapterUse use = AdapterUse.InPrompt(adapter, 1, prompt);
            Assert.InRange(Golden.LargestDifference(harness.Logits(prompt, use), golden.Floats($"logits.{i}")), 0, Tolerance);
            int[] ids = golden.Ids($"greedy.{i}");
            Assert.Equal(ids, harness.Greedy(prompt, ids.Length, use));
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Devices.Names), MemberType = typeof(Devices))]
    public void Forward_MixedBatchOfTheReference_GivesEachRowItsLogits(string device)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(SharedFiles.Require($"{Root}/mixed/rows.json")));
        using var golden = new Golden(SharedFiles.Require($"{Root}/mixed/expected.safetensors"));
        using LoadedModel model = ModelLoader.Load(Devices.Named(device).Require(), SharedFiles.Require($"{Root}/{document.RootElement.GetProperty("base").GetString()}"), s_exact);
        var adapters = new Dictionary<string, ResidentAdapter>();
        using var harness = new ForwardHarness(model.Transformer, workers: 2);
        var sequences = new List<TestSequence>();
        foreach (JsonElement row in document.RootElement.GetProperty("rows").EnumerateArray())
        {
            int[] prompt = [.. row.GetProperty("prompt").EnumerateArray().Select(id => id.GetInt32())];
            string name = row.GetProperty("adapter").GetString()!;
            if (name != "__base__" && !adapters.ContainsKey(name))
            {
                adapters[name] = model.Transformer.Place(AdapterLoader.Load(SharedFiles.Require($"{Root}/{name}"), model.Transformer));
            }

            var sequence = new TestSequence(prompt, adapters.TryGetValue(name, out ResidentAdapter? adapter) ? [new AdapterUse(adapter)] : []);
            harness.Add(sequence, prompt.Length, SegmentOutput.AllLogits);
            sequences.Add(sequence);
        }

        harness.Step();
        for (int i = 0; i < sequences.Count; i++)
        {
            Assert.InRange(Golden.LargestDifference(sequences[i].Logits, golden.Floats($"logits.{i}")), 0, Tolerance);
        }

        foreach (ResidentAdapter adapter in adapters.Values)
        {
            adapter.Dispose();
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Devices.Names), MemberType = typeof(Devices))]
    public void Forward_StacksOfTheReference_GiveTheirLogits(string device)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(SharedFiles.Require($"{Root}/weighted/index.json")));
        foreach (JsonElement entry in document.RootElement.GetProperty("cases").EnumerateArray())
        {
            if (entry.GetProperty("combination_type").GetString() != "stack")
            {
                continue;
            }

            using LoadedModel model = ModelLoader.Load(Devices.Named(device).Require(), SharedFiles.Require($"{Root}/{entry.GetProperty("base").GetString()}"), s_exact);
            using var golden = new Golden(SharedFiles.Require($"{Root}/{entry.GetProperty("path").GetString()}/expected.safetensors"));
            using var harness = new ForwardHarness(model.Transformer);
            AdapterUse[] stack = [.. entry.GetProperty("adapters").EnumerateArray().Zip(
                entry.GetProperty("weights").EnumerateArray(),
                (path, weight) => new AdapterUse(
                    model.Transformer.Place(AdapterLoader.Load(SharedFiles.Require($"{Root}/{path.GetString()}"), model.Transformer)),
                    weight.GetSingle()))];
            foreach (int i in golden.Indices(i => $"prompt.{i}"))
            {
                Assert.InRange(Golden.LargestDifference(harness.Logits(golden.Ids($"prompt.{i}"), stack), golden.Floats($"logits.{i}")), 0, Tolerance);
            }

            foreach (AdapterUse use in stack)
            {
                use.Adapter.Dispose();
            }
        }
    }
}
