using LoraServe.Adapters.Loading;
using LoraServe.Compute;
using LoraServe.Models.Forward;
using LoraServe.Testing;

namespace LoraServe.Models.Tests.Goldens;

/// <summary>X-LoRA adapters as PEFT computes them: two passes over pages of their own, in chunks and beside others.</summary>
public sealed class XLoraGoldenTests
{
    private const string Root = "fixtures/peft";
    private const float Tolerance = 2e-4f;

    public static TheoryData<string, string> Cases => Devices.With(
        SharedFiles.TryGet($"{Root}/xlora") is { } folder
            ? Directory.GetDirectories(folder).Where(path => File.Exists(Path.Combine(path, "expected.safetensors"))).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)
            : ["xlora"]);

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Forward_AdapterOfTheReference_GivesItsLogitsHoweverThePromptIsCut(string device, string name)
    {
        using LoadedModel model = Model(device);
        using var golden = new Golden(SharedFiles.Require($"{Root}/xlora/{name}/expected.safetensors"));
        using var harness = new ForwardHarness(model.Transformer, workers: 2);
        using ResidentAdapter adapter = model.Transformer.Place(AdapterLoader.Load(SharedFiles.Require($"{Root}/xlora/{name}"), model.Transformer));
        foreach (int i in golden.Indices(i => $"prompt.{i}"))
        {
            int[] prompt = golden.Ids($"prompt.{i}");
            float[] expected = golden.Floats($"logits.{i}");
            Assert.InRange(Golden.LargestDifference(harness.Logits(prompt, new AdapterUse(adapter)), expected), 0, Tolerance);
            Assert.InRange(LargestDifference(golden.Floats($"scalings.{i}"), harness.Batch.Scalings, prompt.Length), 0, Tolerance);
            foreach (int chunk in (int[])[1, 5])
            {
                var sequence = new TestSequence(prompt, [new AdapterUse(adapter)]);
                while (sequence.Done < prompt.Length)
                {
                    harness.Batch.Clear();
                    harness.Add(sequence, Math.Min(chunk, prompt.Length - sequence.Done), SegmentOutput.AllLogits);
                    harness.Step();
                }

                harness.Release(sequence);
                Assert.InRange(Golden.LargestDifference(sequence.Logits, expected), 0, Tolerance);
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Devices.Names), MemberType = typeof(Devices))]
    public void Forward_BothBesideOtherMethods_GivesEachItsLogits(string device)
    {
        using LoadedModel model = Model(device);
        using var harness = new ForwardHarness(model.Transformer, workers: 2, pageCount: 128);
        List<(TestSequence Sequence, float[] Expected)> rows = [];
        List<ResidentAdapter> adapters = [];
        foreach (string path in (string[])["llama/lora-qv", "xlora/xlora", "llama/ia3", "xlora/xlora-layerwise", "llama/prefix-tuning", "xlora/xlora"])
        {
            string folder = SharedFiles.Require($"{Root}/{path}");
            ResidentAdapter adapter = model.Transformer.Place(AdapterLoader.Load(folder, model.Transformer));
            adapters.Add(adapter);
            using var golden = new Golden(Path.Combine(folder, "expected.safetensors"));
            foreach (int i in golden.Indices(i => $"prompt.{i}"))
            {
                var sequence = new TestSequence(golden.Ids($"prompt.{i}"), [new AdapterUse(adapter)]);
                harness.Add(sequence, sequence.Tokens.Length, SegmentOutput.AllLogits);
                rows.Add((sequence, golden.Floats($"logits.{i}")));
            }
        }

        harness.Step();
        Assert.NotEmpty(rows);
        foreach ((TestSequence sequence, float[] expected) in rows)
        {
            Assert.InRange(Golden.LargestDifference(sequence.TextLogits, expected), 0, Tolerance);
        }

        adapters.ForEach(adapter => adapter.Dispose());
    }

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Greedy_ThroughTheCache_GivesWhatRecomputingGives(string device, string name)
    {
        const int Count = 12;
        using LoadedModel model = Model(device);
        using var golden = new Golden(SharedFiles.Require($"{Root}/xlora/{name}/expected.safetensors"));
        using var harness = new ForwardHarness(model.Transformer);
        using ResidentAdapter adapter = model.Transformer.Place(AdapterLoader.Load(SharedFiles.Require($"{Root}/xlora/{name}"), model.Transformer));
        int[] prompt = golden.Ids("prompt.1");
        int[] answer = harness.Greedy(prompt, Count, new AdapterUse(adapter));
        for (int i = 0; i < Count; i++)
        {
            Assert.Equal(answer[i], ForwardHarness.Best(harness.Logits([.. prompt, .. answer[..i]], new AdapterUse(adapter))[^1]));
        }
    }

    private static LoadedModel Model(string device) =>
        ModelLoader.Load(Devices.Named(device).Require(), SharedFiles.Require($"{Root}/bases/llama"), new ModelLoadOptions { Arithmetic = Arithmetic.Exact });

    /// <summary>Between scalings [T, modules, adapters] and those of a batch's first rows, which are of all modules where they are alike.</summary>
    private static float LargestDifference(float[] expected, RowScalings actual, int rows)
    {
        int width = expected.Length / rows;
        return Enumerable.Range(0, expected.Length).Max(i => MathF.Abs(expected[i] - actual.Of(i / width)[i % width % actual.Width]));
    }
}
