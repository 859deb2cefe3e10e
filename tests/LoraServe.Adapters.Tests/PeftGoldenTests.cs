using System.Text.Json;
using LoraServe.Adapters.Resident;
using LoraServe.Adapters.Tests.Reference;
using LoraServe.Compute.Files;
using LoraServe.Testing;

namespace LoraServe.Adapters.Tests;

/// <summary>Every LORA case that PEFT recorded on a Llama or Qwen2 base, through the resident form and a plain forward pass.</summary>
public sealed class PeftGoldenTests
{
    private const string Root = "fixtures/peft";

    public static TheoryData<string> Cases()
    {
        var cases = new TheoryData<string>();
        if (SharedFiles.TryGet($"{Root}/index.json") is { } index)
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(index));
            foreach (JsonElement entry in document.RootElement.GetProperty("cases").EnumerateArray())
            {
                string path = entry.GetProperty("path").GetString()!;
                if (entry.GetProperty("peft_type").GetString() == "LORA" && entry.GetProperty("base").GetString() is "llama" or "qwen2")
                {
                    cases.Add(path);
                }
            }
        }

        if (cases.Count == 0)
        {
            cases.Add("llama/lora-qv");
        }

        return cases;
    }

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Load_CaseOfTheReference_GivesItsLogitsAndTokens(string path)
    {
        string directory = SharedFiles.Require($"{Root}/{path}");
        FileBaseModel model = FileBaseModel.Open(SharedFiles.Require($"{Root}/bases/{path.Split('/')[0]}"));
        if (path.Contains("layer-replication", StringComparison.Ordinal))
        {
            Assert.Contains("layer_replication", Assert.Throws<AdapterFormatException>(() => AdapterLoader.Load(directory, model)).Message, StringComparison.Ordinal);
            return;
        }

        Adapter adapter = AdapterLoader.Load(directory, model);
        using ResidentAdapter resident = ResidentAdapter.Create(adapter, model);
        Golden.Check(new ReferenceForward(model, (resident, 1)), Path.Combine(directory, "expected.safetensors"), greedy: true);
        Assert.NotEmpty(adapter.Report.MatchedModules);
        Assert.All(adapter.Report.DeltaNorms.Values, norm => Assert.True(double.IsFinite(norm)));
    }

    [SkippableFact]
    public void Load_RowsOfTheMixedBatch_GiveTheirLogits()
    {
        using var rows = JsonDocument.Parse(File.ReadAllBytes(SharedFiles.Require($"{Root}/mixed/rows.json")));
        using SafetensorsFile expected = SafetensorsFile.Open(SharedFiles.Require($"{Root}/mixed/expected.safetensors"));
        FileBaseModel model = FileBaseModel.Open(SharedFiles.Require($"{Root}/{rows.RootElement.GetProperty("base").GetString()}"));
        int index = 0;
        foreach (JsonElement row in rows.RootElement.GetProperty("rows").EnumerateArray())
        {
            string name = row.GetProperty("adapter").GetString()!;
            using ResidentAdapter? resident = name == "__base__" ? null : ResidentAdapter.Create(AdapterLoader.Load(SharedFiles.Require($"{Root}/{name}"), model), model);
            var forward = resident is null ? new ReferenceForward(model) : new ReferenceForward(model, (resident, 1));
            int[] prompt = [.. row.GetProperty("prompt").EnumerateArray().Select(id => id.GetInt32())];
            Golden.CheckLogits(forward, prompt, expected.Tensors[$"logits.{index}"].ToFloats(), $"mixed row {index}");
            index++;
        }
    }
}
