using System.Text.Json;
using System.Text.Json.Nodes;
using LoraServe.Adapters.Loading;
using LoraServe.Adapters.Tests.Reference;
using LoraServe.Compute.Files;
using LoraServe.Testing;
using LoraServe.Testing.Plain;

namespace LoraServe.Adapters.Tests;

/// <summary>Every case that PEFT and AdapterHub recorded on a Llama or Qwen2 base, through a plain forward pass.</summary>
public sealed class PeftGoldenTests
{
    private const string Multitask = "multitask-prompt-tuning";

    public static TheoryData<string> Cases() =>
        PeftCases.Where(entry => PeftCases.IsSupported(entry) && !IsRefused(entry) && !entry.GetProperty("path").GetString()!.Contains(Multitask, StringComparison.Ordinal));

    public static TheoryData<string> Refusals() => PeftCases.Where(entry => !PeftCases.IsSupported(entry) || IsRefused(entry));

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Load_CaseOfTheReference_GivesItsLogitsAndTokens(string path)
    {
        string directory = PeftCases.Require(path);
        PlainModel model = PeftCases.BaseOf(path);
        Adapter adapter = AdapterLoader.Load(directory, model);
        var plain = new PlainAdapter(adapter);
        GoldenLogits.Check(new PlainForward(model), Path.Combine(directory, "expected.safetensors"), greedy: true, stack: plain);
        Assert.NotEmpty(adapter.Report.MatchedModules);
        Assert.Equal(plain.VirtualRows, adapter.Report.VirtualRows);
        Assert.Empty(adapter.Report.UnmatchedModules);
        Assert.All(adapter.Report.DeltaNorms.Values, norm => Assert.True(double.IsFinite(norm)));
        Assert.Contains(adapter.Report.DeltaNorms.Values, norm => norm > 0);
    }

    [SkippableTheory]
    [MemberData(nameof(Refusals))]
    public void Load_CaseThatIsNotSupported_IsRefusedByName(string path)
    {
        string directory = PeftCases.Require(path);
        Skip.If(path == "llama/lora-qv", "There are no such cases.");
        AdapterFormatException refusal = Assert.Throws<AdapterFormatException>(() => AdapterLoader.Load(directory, PeftCases.BaseOf(path)));
        Assert.Contains(directory, refusal.Message, StringComparison.Ordinal);
        Assert.Matches("peft_type|layer_replication|inv_adapter", refusal.Message);
    }

    [SkippableFact]
    public void Load_MultitaskPrompt_GivesTheLogitsOfEachTask()
    {
        string path = $"llama/{Multitask}";
        string directory = PeftCases.Require(path);
        PlainModel model = PeftCases.BaseOf(path);
        using SafetensorsFile expected = SafetensorsFile.Open(Path.Combine(directory, "expected.safetensors"));
        for (int i = 0; expected.Tensors.ContainsKey($"prompt.{i}"); i++)
        {
            int task = (int)expected.Tensors[$"task.{i}"].ToFloats()[0];
            Adapter all = AdapterLoader.Load(directory, model);
            Assert.Equal((3, 5), (all.Report.Tasks, all.Report.VirtualRows));

            // Somebody may have fixed one in the configuration.
            using var folder = new TemporaryDirectory();
            JsonObject config = JsonNode.Parse(File.ReadAllBytes(Path.Combine(directory, "adapter_config.json")))!.AsObject();
            config["task_id"] = task;
            File.WriteAllText(Path.Combine(folder.Path, "adapter_config.json"), config.ToJsonString());
            File.Copy(Path.Combine(directory, "adapter_model.safetensors"), Path.Combine(folder.Path, "adapter_model.safetensors"));
            Adapter one = AdapterLoader.Load(folder.Path, model);
            Assert.Equal((1, 5), (one.Report.Tasks, one.Report.VirtualRows));
            int[] prompt = [.. expected.Tensors[$"prompt.{i}"].ToFloats().Select(value => (int)value)];
            foreach (PlainAdapter plain in new[] { new PlainAdapter(all).ForTask(task), new PlainAdapter(one) })
            {
                GoldenLogits.CheckLogits(new PlainForward(model), [plain], prompt, expected.Tensors[$"logits.{i}"].ToFloats(), $"{path} prompt {i}");
            }
        }
    }

    [SkippableTheory]
    [InlineData("mixed")]
    [InlineData("mixed/llama")]
    [InlineData("mixed/qwen2")]
    public void Load_RowsOfAMixedBatch_GiveTheirLogits(string folder)
    {
        using var rows = JsonDocument.Parse(File.ReadAllBytes(PeftCases.Require($"{folder}/rows.json")));
        using SafetensorsFile expected = SafetensorsFile.Open(PeftCases.Require($"{folder}/expected.safetensors"));
        PlainModel model = PlainModel.Open(PeftCases.Require(rows.RootElement.GetProperty("base").GetString()!));
        var forward = new PlainForward(model);
        int index = -1;
        foreach (JsonElement row in rows.RootElement.GetProperty("rows").EnumerateArray())
        {
            index++;
            string name = row.GetProperty("adapter").GetString()!;
            if (name != "__base__" && !IsReadable(PeftCases.Require(name)))
            {
                continue;
            }

            PlainAdapter[] stack = name == "__base__" ? [] : [new PlainAdapter(AdapterLoader.Load(PeftCases.Require(name), model))];
            int[] prompt = [.. row.GetProperty("prompt").EnumerateArray().Select(id => id.GetInt32())];
            GoldenLogits.CheckLogits(forward, stack, prompt, expected.Tensors[$"logits.{index}"].ToFloats(), $"{folder} row {index}");
        }
    }

    private static bool IsReadable(string directory) => AdapterInspection.Read(directory).Method is var method && (method == "BOTTLENECK" || PeftCases.Supported.Contains(method));

    private static bool IsRefused(JsonElement entry) =>
        entry.GetProperty("path").GetString() is { } path && (path.Contains("layer-replication", StringComparison.Ordinal) || path.Contains("invertible", StringComparison.Ordinal));
}
