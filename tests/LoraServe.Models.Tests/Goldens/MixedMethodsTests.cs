using System.Text.Json;
using LoraServe.Compute;
using LoraServe.Models.Forward;
using LoraServe.Testing;
using Xunit.Abstractions;

namespace LoraServe.Models.Tests.Goldens;

/// <summary>Rows of different methods in one batch, against each computed alone by the reference.</summary>
public sealed class MixedMethodsTests(ITestOutputHelper output)
{
    private const string Root = "fixtures/peft";
    private const float Tolerance = 2e-4f;

    public static TheoryData<string, string> Bases => Devices.With(["llama", "qwen2", "gpt2"]);

    [SkippableTheory]
    [MemberData(nameof(Bases))]
    public void Forward_RowsOfDifferentMethodsInOneBatch_GiveTheirLogits(string device, string name)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(SharedFiles.Require($"{Root}/mixed/{name}/rows.json")));
        using var golden = new Golden(SharedFiles.Require($"{Root}/mixed/{name}/expected.safetensors"));
        var options = new ModelLoadOptions { Arithmetic = Arithmetic.Exact };
        using LoadedModel model = ModelLoader.Load(Devices.Named(device).Require(), SharedFiles.Require($"{Root}/{document.RootElement.GetProperty("base").GetString()}"), options);
        using var harness = new ForwardHarness(model.Transformer, workers: 2, pageCount: 256);
        var adapters = new List<ResidentAdapter>();
        var sequences = new List<(int Row, TestSequence Sequence)>();
        int index = -1;
        foreach (JsonElement row in document.RootElement.GetProperty("rows").EnumerateArray())
        {
            index++;
            string path = row.GetProperty("adapter").GetString()!;
            int[] prompt = [.. row.GetProperty("prompt").EnumerateArray().Select(id => id.GetInt32())];
            AdapterUse[] uses = [];
            if (path != "__base__")
            {
                if (GoldenAdapters.TryLoad(SharedFiles.Require($"{Root}/{path}"), model.Transformer, out string? reason) is not { } adapter)
                {
                    output.WriteLine($"without row {index}: {reason}");
                    continue;
                }

                adapters.Add(adapter);
                uses = [AdapterUse.InPrompt(adapter, 1, prompt, adapter.VirtualRows)];
            }

            var sequence = new TestSequence(prompt, uses);
            harness.Add(sequence, sequence.Tokens.Length, SegmentOutput.AllLogits);
            sequences.Add((index, sequence));
        }

        harness.Step();
        output.WriteLine($"{adapters.Count} adapters and the base");
        Assert.NotEmpty(adapters);
        foreach ((int row, TestSequence sequence) in sequences)
        {
            Assert.InRange(Golden.LargestDifference(sequence.TextLogits, golden.Floats($"logits.{row}")), 0, Tolerance);
        }

        adapters.ForEach(adapter => adapter.Dispose());
    }

    [SkippableTheory]
    [MemberData(nameof(Bases))]
    public void Forward_EveryCaseOfABaseInOneBatch_GivesItsLogits(string device, string name)
    {
        using JsonDocument index = JsonDocument.Parse(File.ReadAllBytes(SharedFiles.Require($"{Root}/index.json")));
        using LoadedModel model = ModelLoader.Load(Devices.Named(device).Require(), SharedFiles.Require($"{Root}/bases/{name}"), new ModelLoadOptions { Arithmetic = Arithmetic.Exact });
        using var harness = new ForwardHarness(model.Transformer, workers: 2, pageCount: 512);
        var adapters = new List<ResidentAdapter>();
        var sequences = new List<(string Path, TestSequence Sequence, float[] Expected)>();
        foreach (JsonElement entry in index.RootElement.GetProperty("cases").EnumerateArray().Where(entry => entry.GetProperty("base").GetString() == name))
        {
            string path = entry.GetProperty("path").GetString()!;
            using var golden = new Golden(SharedFiles.Require($"{Root}/{path}/expected.safetensors"));
            if (AdapterGoldenTests.Refused.Contains(path) || golden.Has("task.0"))
            {
                continue; // of a task, an adapter is another one for each prompt
            }

            if (GoldenAdapters.TryLoad(SharedFiles.Require($"{Root}/{path}"), model.Transformer, out string? reason) is not { } adapter)
            {
                output.WriteLine($"without {path}: {reason}");
                continue;
            }

            adapters.Add(adapter);
            int[] prompt = golden.Ids("prompt.0");
            var sequence = new TestSequence(prompt, [AdapterUse.InPrompt(adapter, 1, prompt, adapter.VirtualRows)]);
            harness.Add(sequence, sequence.Tokens.Length, SegmentOutput.AllLogits);
            sequences.Add((path, sequence, golden.Floats("logits.0")));
        }

        harness.Step();
        output.WriteLine($"{adapters.Count} adapters");
        Assert.All(sequences, one => Assert.True(Golden.LargestDifference(one.Sequence.TextLogits, one.Expected) is >= 0 and <= Tolerance, one.Path));
        adapters.ForEach(adapter => adapter.Dispose());
    }
}
