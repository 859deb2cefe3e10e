using LoraServe.Compute;
using LoraServe.Compute.Tensors;
using LoraServe.Models.Forward;
using LoraServe.Testing;
using Xunit.Abstractions;

namespace LoraServe.Models.Tests.Goldens;

/// <summary>Logits and greedy continuations of small checkpoints as transformers computes them.</summary>
public class ModelGoldenTests(ITestOutputHelper output)
{
    private const float Tolerance = 1e-4f;
    private static readonly ModelLoadOptions s_exact = new() { Arithmetic = Arithmetic.Exact };

    /// <summary>Those that travel with the repository.</summary>
    public static TheoryData<string, string> CommittedCheckpoints() =>
        Devices.With(Directory.GetDirectories(Repository.Fixture("models")).Select(folder => Path.GetFileName(folder)!).Order(StringComparer.Ordinal));

    public static TheoryData<string, string> Checkpoints() => Devices.With(SharedFiles.Cases(SharedFiles.FolderNames("fixtures/models")));

    public static TheoryData<string, string> GgufFiles() =>
        Devices.With(SharedFiles.Cases(SharedFiles.FileNames("fixtures/gguf", "*.gguf").Select(file => Path.GetFileNameWithoutExtension(file))));

    [SkippableTheory]
    [MemberData(nameof(CommittedCheckpoints))]
    public void Forward_CommittedCheckpoint_GivesTheReferencesLogitsAndGreedyIds(string device, string name) =>
        CheckCheckpoint(device, Repository.Fixture($"models/{name}"));

    [SkippableTheory]
    [MemberData(nameof(Checkpoints))]
    public void Forward_HuggingFaceCheckpoint_GivesTheReferencesLogitsAndGreedyIds(string device, string name) =>
        CheckCheckpoint(device, SharedFiles.Require($"fixtures/models/{name}"));

    [SkippableTheory]
    [MemberData(nameof(Checkpoints))]
    public void Forward_ConfigurationWrittenTheOtherWay_GivesTheSameBits(string device, string name)
    {
        string folder = SharedFiles.Require($"fixtures/models/{name}");
        string alternative = SharedFiles.Require($"fixtures/models/{name}/config.alt.json");
        string copy = Directory.CreateTempSubdirectory("loraserve-").FullName;
        try
        {
            foreach (string file in Directory.GetFiles(folder))
            {
                File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
            }

            File.Copy(alternative, Path.Combine(copy, "config.json"), overwrite: true);
            using var golden = new Golden(Path.Combine(folder, "expected.safetensors"));
            using LoadedModel first = ModelLoader.Load(Devices.Named(device).Require(), folder, s_exact);
            using LoadedModel second = ModelLoader.Load(Devices.Named(device).Require(), copy, s_exact);
            using var a = new ForwardHarness(first.Transformer);
            using var b = new ForwardHarness(second.Transformer);
            foreach (int i in golden.Indices(i => $"prompt_{i}.input_ids"))
            {
                int[] prompt = golden.Ids($"prompt_{i}.input_ids");
                Assert.Equal(a.Logits(prompt), b.Logits(prompt));
            }
        }
        finally
        {
            Directory.Delete(copy, recursive: true);
        }
    }

    [SkippableTheory]
    [MemberData(nameof(GgufFiles))]
    public void Forward_GgufFile_GivesTheReferencesLogitsAndGreedyIds(string device, string name)
    {
        string file = SharedFiles.Require($"fixtures/gguf/{name}.gguf");
        using LoadedModel model = ModelLoader.Load(Devices.Named(device).Require(), file, s_exact);
        using var golden = new Golden(SharedFiles.Require($"fixtures/gguf/{name}.expected.safetensors"));
        Check(model.Transformer, golden);
    }

    private void CheckCheckpoint(string device, string folder)
    {
        using LoadedModel model = ModelLoader.Load(Devices.Named(device).Require(), folder, s_exact);
        using var golden = new Golden(Path.Combine(folder, "expected.safetensors"));
        Check(model.Transformer, golden);
        CheckLastHidden(model.Transformer, golden);
    }

    private void Check(Transformer model, Golden golden)
    {
        using var harness = new ForwardHarness(model, workers: 2);
        using var narrow = new ForwardHarness(model, workers: 2, cache: ElementType.F16);
        foreach (int i in golden.Indices(i => $"prompt_{i}.input_ids"))
        {
            int[] prompt = golden.Ids($"prompt_{i}.input_ids");
            float[] expected = golden.Floats($"prompt_{i}.logits");
            float difference = Golden.LargestDifference(harness.Logits(prompt), expected);
            float withNarrowCache = Golden.LargestDifference(narrow.Logits(prompt), expected);
            output.WriteLine($"prompt {i}: largest difference {difference:e1}, with the cache in F16 {withNarrowCache:e1}");
            Assert.InRange(difference, 0, Tolerance);
            Assert.InRange(withNarrowCache, 0, 0.05f);

            string greedy = $"prompt_{i}.greedy_ids_cached";
            int[] ids = golden.Ids(golden.Has(greedy) ? greedy : $"prompt_{i}.greedy_ids");
            Assert.Equal(ids, harness.Greedy(prompt, ids.Length));
        }
    }

    private static void CheckLastHidden(Transformer model, Golden golden)
    {
        string name = $"prompt_0.hidden.{model.LayerCount}";
        if (!golden.Has(name))
        {
            return;
        }

        using var harness = new ForwardHarness(model);
        int[] prompt = golden.Ids("prompt_0.input_ids");
        harness.Add(new TestSequence(prompt, []), prompt.Length, SegmentOutput.AllHidden);
        harness.Step();
        float[][] hidden = [.. Enumerable.Range(0, prompt.Length).Select(t => harness.Hidden.Span(t).ToArray())];
        Assert.InRange(Golden.LargestDifference(hidden, golden.Floats(name)), 0, Tolerance);
    }
}
