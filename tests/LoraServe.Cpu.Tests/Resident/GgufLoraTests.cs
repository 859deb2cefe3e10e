using LoraServe.Adapters;
using LoraServe.Adapters.Loading;
using LoraServe.Compute;
using LoraServe.Models;
using LoraServe.Models.Forward;
using LoraServe.Testing;

namespace LoraServe.Cpu.Tests.Resident;

/// <summary>A LoRA adapter as llama.cpp stores it and the same from PEFT, on a GGUF base.</summary>
public sealed class GgufLoraTests
{
    private const string Root = "fixtures/gguf";
    private const float Tolerance = 2e-4f;

    [SkippableTheory]
    [InlineData("lora/adapter-F32.gguf")]
    [InlineData("lora")]
    public void Forward_AdapterOnAGgufBase_GivesTheReferencesLogitsAndGreedyIds(string adapterPath)
    {
        var options = new ModelLoadOptions { Arithmetic = Arithmetic.Exact };
        using LoadedModel model = ModelLoader.Load(CpuDevice.Instance, SharedFiles.Require($"{Root}/llama-small-F32.gguf"), options);
        Adapter adapter = AdapterLoader.Load(SharedFiles.Require($"{Root}/{adapterPath}"), model.Transformer);
        using ResidentAdapter resident = model.Transformer.Place(adapter);
        using var golden = new Golden(SharedFiles.Require($"{Root}/lora/expected.safetensors"));
        using var harness = new ForwardHarness(model.Transformer);
        foreach (int i in golden.Indices(i => $"prompt_{i}.input_ids"))
        {
            int[] prompt = golden.Ids($"prompt_{i}.input_ids");
            var use = new AdapterUse(resident);
            Assert.InRange(Golden.LargestDifference(harness.Logits(prompt, use), golden.Floats($"prompt_{i}.logits")), 0, Tolerance);
            int[] ids = golden.Ids($"prompt_{i}.greedy_ids");
            Assert.Equal(ids, harness.Greedy(prompt, ids.Length, use));
        }
    }
}
