using LoraServe.Compute;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;
using LoraServe.Cpu;
using LoraServe.Models.Conversion;
using LoraServe.Testing;

namespace LoraServe.Models.Tests.Goldens;

/// <summary>Models in the forms in which they are published rather than saved by transformers, and written anew: they give what transformers gives.</summary>
public class PublishedFormsTests
{
    private const float Tolerance = 1e-4f;

    [SkippableFact]
    public void Forward_Gpt2WithoutItsPrefix_GivesTheReferencesLogits()
    {
        string folder = SharedFiles.Require("fixtures/models/gpt2");
        using var published = TemporaryDirectory.CopyOf(folder);
        using (var weights = SafetensorsFile.Open(Path.Combine(folder, "model.safetensors")))
        {
            SafetensorsFile.Write(
                published.File("model.safetensors"),
                weights.Tensors.Select(tensor => Tensor.FromFloats(tensor.Key.Replace("transformer.", "", StringComparison.Ordinal), tensor.Value.ToFloats(), [.. tensor.Value.Shape])),
                new Dictionary<string, string>());
        }

        Check(published.Path, folder);
    }

    [SkippableTheory]
    [InlineData("llama")]
    [InlineData("llama-rope-llama3")]
    [InlineData("qwen2")]
    public void Forward_WrittenAsGguf_GivesTheReferencesLogits(string name)
    {
        string folder = SharedFiles.Require($"fixtures/models/{name}");
        using var written = new TemporaryDirectory();
        ModelConverter.Convert(folder, written.File("model.gguf"), new ConversionOptions { Type = ElementType.F32 });
        Check(written.File("model.gguf"), folder);
    }

    [SkippableFact]
    public void Load_SettingsThatBeginWithSpace_AreRead()
    {
        string folder = SharedFiles.Require("fixtures/models/llama");
        using var marked = TemporaryDirectory.CopyOf(folder);
        File.WriteAllText(marked.File("tokenizer_config.json"), "\n {}");
        Check(marked.Path, folder);
    }

    private static void Check(string model, string folder)
    {
        using LoadedModel loaded = ModelLoader.Load(CpuDevice.Instance, model, new ModelLoadOptions { Arithmetic = Arithmetic.Exact });
        using var golden = new Golden(Path.Combine(folder, "expected.safetensors"));
        using var harness = new ForwardHarness(loaded.Transformer);
        float[][] logits = harness.Logits(golden.Ids("prompt_0.input_ids"));
        Assert.InRange(Golden.LargestDifference(logits, golden.Floats("prompt_0.logits")), 0, Tolerance);
    }
}
