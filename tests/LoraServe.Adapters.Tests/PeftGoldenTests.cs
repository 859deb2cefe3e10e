using System.Text.Json;
using LoraServe.Adapters.Resident;
using LoraServe.Adapters.Tests.Reference;
using LoraServe.Compute.Files;

namespace LoraServe.Adapters.Tests;

/// <summary>Every LORA case that PEFT recorded on a Llama or Qwen2 base, through the resident form and a plain forward pass.</summary>
public sealed class PeftGoldenTests
{
    public static TheoryData<string> Cases() => PeftCases.Lora(_ => true);

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Load_CaseOfTheReference_GivesItsLogitsAndTokens(string path)
    {
        string directory = PeftCases.Require(path);
        FileBaseModel model = PeftCases.BaseOf(path);
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
        using var rows = JsonDocument.Parse(File.ReadAllBytes(PeftCases.Require("mixed/rows.json")));
        using SafetensorsFile expected = SafetensorsFile.Open(PeftCases.Require("mixed/expected.safetensors"));
        FileBaseModel model = FileBaseModel.Open(PeftCases.Require(rows.RootElement.GetProperty("base").GetString()!));
        int index = 0;
        foreach (JsonElement row in rows.RootElement.GetProperty("rows").EnumerateArray())
        {
            string name = row.GetProperty("adapter").GetString()!;
            using ResidentAdapter? resident = name == "__base__" ? null : ResidentAdapter.Create(AdapterLoader.Load(PeftCases.Require(name), model), model);
            var forward = resident is null ? new ReferenceForward(model) : new ReferenceForward(model, (resident, 1));
            int[] prompt = [.. row.GetProperty("prompt").EnumerateArray().Select(id => id.GetInt32())];
            Golden.CheckLogits(forward, prompt, expected.Tensors[$"logits.{index}"].ToFloats(), $"mixed row {index}");
            index++;
        }
    }
}
