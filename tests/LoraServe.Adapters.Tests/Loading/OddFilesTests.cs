using System.Text.Json.Nodes;
using LoraServe.Adapters.Loading;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;
using LoraServe.Testing;

namespace LoraServe.Adapters.Tests.Loading;

/// <summary>Files that nobody writes on purpose, each of a kind that a damaged one was found to be of.</summary>
public sealed class OddFilesTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void TargetNamedTwice_IsNamedOnce()
    {
        AdapterBuilder builder = MethodAdapters.Build("TRAINABLE_TOKENS");
        int once = builder.Load().Edits.Length;
        builder.Config["target_modules"] = new JsonArray("embed_tokens", "embed_tokens");

        Assert.Equal(once, builder.Load().Edits.Length);
    }

    [Fact]
    public void GgufTensorWithoutADot_IsItsOwnTarget()
    {
        string path = _folder.File("adapter.gguf");
        GgufWriter.Write(path, [GgufEntry.Of("general.type", "adapter"), GgufEntry.Of("adapter.type", "lora")], [new TensorToWrite("lora", ElementType.F32, [1], stream => stream.Write(new byte[4]))]);

        Assert.Equal("lora", Assert.Single(AdapterInspection.Read(path).Targets));
    }

    [Fact]
    public void MlxTensorUnderBothNames_IsRefused()
    {
        SafetensorsFile.Write(_folder.File("adapters.safetensors"), [Tensor.FromFloats("q_proj.lora_a", new float[4], 4, 1), Tensor.FromFloats("q_proj.lora_A.weight", new float[4], 1, 4)]);
        File.WriteAllText(_folder.File("adapter_config.json"), """{"fine_tune_type": "lora", "num_layers": 1, "lora_parameters": {"rank": 1, "scale": 2.0}}""");

        Assert.Contains("adapters.safetensors: has tensor 'base_model.model.q_proj.lora_A.weight' twice", Assert.Throws<AdapterFormatException>(() => AdapterInspection.Read(_folder.Path)).Message, StringComparison.Ordinal);
    }
}
