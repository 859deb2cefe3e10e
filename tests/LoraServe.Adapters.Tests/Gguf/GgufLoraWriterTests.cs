using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gguf;
using LoraServe.Adapters.Loading;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;
using LoraServe.Cpu;
using LoraServe.Models;
using LoraServe.Testing;

namespace LoraServe.Adapters.Tests.Gguf;

public sealed class GgufLoraWriterTests
{
    [Theory]
    [InlineData("llama")]
    [InlineData("qwen2")]
    public void Write_PairsOfSeveralRanksAndScales_LoadAsTheSameChanges(string architecture)
    {
        using Transformer model = TinyModel.Create(5, spec: TinyModel.DefaultSpec with { Architecture = architecture });
        Adapter adapter = TinyModel.CreateAdapter(model, 3, 4);
        LowRank[] pairs = [.. adapter.Edits.OfType<LowRank>().Select((pair, i) => pair with { Scale = i % 3 == 0 ? 0.5f : 0.25f * i })];
        using var folder = new TemporaryDirectory();
        string path = Path.Combine(folder.Path, "adapter.gguf");
        GgufLoraWriter.Write(path, pairs, model, architecture, [3, 5]);
        Adapter read = AdapterLoader.Load(path, model);
        Assert.Equal([3, 5], read.InvocationTokens.ToArray());
        Assert.Equal(pairs.Length, read.Edits.Length);
        foreach (LowRank pair in pairs)
        {
            LowRank back = read.Edits.OfType<LowRank>().Single(edit => edit.Site == pair.Site);
            Assert.Equal(pair.A.Values, back.A.Values);
            Assert.All(pair.B.Values.Zip(back.B.Values), entry => Assert.Equal(entry.First * pair.Scale, entry.Second * back.Scale, 1e-5f));
        }

        Assert.Equal([path], Directory.GetFileSystemEntries(folder.Path));
    }

    [SkippableFact]
    public void Write_AdapterThatLlamaCppConverted_GivesItsTensors()
    {
        string folder = SharedFiles.Require("fixtures/gguf/lora");
        using LoadedModel model = ModelLoader.Load(CpuDevice.Instance, SharedFiles.Require("fixtures/gguf/llama-small-F32.gguf"));
        Adapter adapter = AdapterLoader.Load(folder, model.Transformer);
        using var made = new TemporaryDirectory();
        string path = Path.Combine(made.Path, "adapter.gguf");
        GgufLoraWriter.Write(path, [.. adapter.Edits.OfType<LowRank>()], model.Transformer, model.Transformer.Spec.Architecture);
        using GgufFile expected = GgufFile.Open(Directory.GetFiles(folder, "*.gguf").Single());
        using GgufFile written = GgufFile.Open(path);
        Assert.All((string[])["general.architecture", "general.type", "adapter.type"], key => Assert.Equal(expected.Metadata.GetString(key), written.Metadata.GetString(key)));
        Assert.Equal(expected.Metadata.GetNumber("adapter.lora.alpha"), written.Metadata.GetNumber("adapter.lora.alpha"));
        Assert.Equal(expected.Tensors.Keys.Order(StringComparer.Ordinal), written.Tensors.Keys.Order(StringComparer.Ordinal));
        foreach ((string name, Tensor tensor) in expected.Tensors)
        {
            Assert.Equal(tensor.Shape.ToArray(), written.Tensors[name].Shape.ToArray());
            Assert.Equal(tensor.ToFloats(), written.Tensors[name].ToFloats());
        }
    }
}
