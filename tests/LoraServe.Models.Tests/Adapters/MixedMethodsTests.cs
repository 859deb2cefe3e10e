using System.Text.Json;
using LoraServe.Adapters;
using LoraServe.Adapters.Resident;
using LoraServe.Compute;
using LoraServe.Models.Forward;
using LoraServe.Models.Tests.Forward;
using LoraServe.Testing;

namespace LoraServe.Models.Tests.Adapters;

/// <summary>Rows of different methods in one batch, against each computed alone by the reference.</summary>
public sealed class MixedMethodsTests
{
    private const string Root = "fixtures/peft";
    private const float Tolerance = 2e-4f;

    [SkippableTheory]
    [InlineData("llama")]
    [InlineData("qwen2")]
    public void Forward_RowsOfDifferentMethodsInOneBatch_GiveTheirLogits(string name)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(SharedFiles.Require($"{Root}/mixed/{name}/rows.json")));
        using var golden = new Golden(SharedFiles.Require($"{Root}/mixed/{name}/expected.safetensors"));
        var options = new ModelLoadOptions { Arithmetic = Arithmetic.Exact };
        using LoadedModel model = ModelLoader.Load(SharedFiles.Require($"{Root}/{document.RootElement.GetProperty("base").GetString()}"), options);
        using var harness = new ForwardHarness(model.Transformer, workers: 2, pageCount: 256);
        var adapters = new List<ResidentAdapter>();
        var sequences = new List<(int Row, TestSequence Sequence)>();
        int index = 0;
        foreach (JsonElement row in document.RootElement.GetProperty("rows").EnumerateArray())
        {
            string path = row.GetProperty("adapter").GetString()!;
            int[] prompt = [.. row.GetProperty("prompt").EnumerateArray().Select(id => id.GetInt32())];
            bool isBase = path == "__base__";
            if (isBase || IsLora(path))
            {
                AdapterUse[] uses = [];
                if (!isBase)
                {
                    adapters.Add(ResidentAdapter.Create(AdapterLoader.Load(SharedFiles.Require($"{Root}/{path}"), model.Transformer), model.Transformer));
                    uses = [new AdapterUse(adapters[^1], 1, ActiveFrom(adapters[^1], prompt))];
                }

                var sequence = new TestSequence(prompt, uses);
                harness.Add(sequence, prompt.Length, SegmentOutput.AllLogits);
                sequences.Add((index, sequence));
            }

            index++;
        }

        harness.Step();
        Assert.NotEmpty(adapters);
        foreach ((int row, TestSequence sequence) in sequences)
        {
            Assert.InRange(Golden.LargestDifference(sequence.Logits, golden.Floats($"logits.{row}")), 0, Tolerance);
        }

        adapters.ForEach(adapter => adapter.Dispose());
    }

    private static bool IsLora(string path)
    {
        string config = SharedFiles.Require($"{Root}/{path}") + "/adapter_config.json";
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(config));
        return document.RootElement.TryGetProperty("peft_type", out JsonElement type) && type.GetString() == "LORA";
    }

    private static int ActiveFrom(ResidentAdapter adapter, ReadOnlySpan<int> prompt) =>
        adapter.InvocationTokens.IsEmpty ? 0
        : prompt.LastIndexOf(adapter.InvocationTokens) is >= 0 and var start ? start
        : int.MaxValue;
}
