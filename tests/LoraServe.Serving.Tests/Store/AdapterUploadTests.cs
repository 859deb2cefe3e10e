using System.Text.Json.Nodes;
using LoraServe.Adapters.Methods;
using LoraServe.Adapters.Peft;
using LoraServe.Compute.Tensors;
using LoraServe.Models;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Store;
using LoraServe.Testing;

namespace LoraServe.Serving.Tests.Store;

public sealed class AdapterUploadTests
{
    [Fact]
    public async Task CompleteAsync_FilesAsAdapterHubNamesThem_AreServed()
    {
        await using var harness = new EngineHarness();
        string folder = Path.Combine(Path.GetTempPath(), $"loraserve-{Guid.NewGuid():n}");
        try
        {
            WriteBottlenecks(folder);
            PublishResult published = await AdapterStoreTests.UploadAsync(harness.Engine.Adapters, "a", folder);
            Assert.Equal("bottleneck", published.Report.Adapter.Method);
            Assert.True(published.Report.ProbeLogitChange > 0);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("shards")]
    [InlineData("mlx")]
    public async Task CompleteAsync_OtherFormsOfAnAdapter_AreServedAsTheSame(string form)
    {
        await using var harness = new EngineHarness();
        using var folder = new TemporaryDirectory();
        AdapterStore store = harness.Engine.Adapters;
        TinyAdapters.Write(folder.Path, seed: 5);
        double expected = (await AdapterStoreTests.UploadAsync(store, "plain", folder.Path)).Report.ProbeLogitChange;

        if (form == "mlx")
        {
            AdapterForms.ToMlx(folder.Path);
        }
        else
        {
            AdapterForms.ToShards(folder.Path, 3);
        }

        PublishResult published = await AdapterStoreTests.UploadAsync(store, "other", folder.Path);

        Assert.Equal(expected, published.Report.ProbeLogitChange);
        Assert.Equal(form == "mlx", published.Report.Adapter.Notes.Any(note => note.Contains("other/adapter_config.json: is mlx-lm's", StringComparison.Ordinal)));
        Assert.Equal(published.Adapter.Digest, (await store.PublishAsync(Principal.Operator, "again", folder.Path)).Adapter.Digest);
    }

    [Fact]
    public async Task CompleteAsync_AShardThatDidNotCome_IsRefusedByItsName()
    {
        await using var harness = new EngineHarness();
        using var folder = new TemporaryDirectory();
        TinyAdapters.Write(folder.Path, seed: 5);
        AdapterForms.ToShards(folder.Path, 3);
        File.Delete(folder.File("adapter_model-00002-of-00003.safetensors"));

        EngineException refusal = await Assert.ThrowsAsync<EngineException>(() => AdapterStoreTests.UploadAsync(harness.Engine.Adapters, "a", folder.Path));

        Assert.Contains("a/adapter_model-00002-of-00003.safetensors: is not there", refusal.Message, StringComparison.Ordinal);
    }

    private static void WriteBottlenecks(string folder)
    {
        using Transformer model = TinyModel.Create(seed: 1);
        var random = new Random(3);
        var tensors = new List<Tensor>();
        int size = model.Width / 16;
        for (int layer = 0; layer < model.LayerCount; layer++)
        {
            string path = $"model.layers.{layer}.output_adapters.adapters.bottleneck";
            Add($"{path}.adapter_down.0.weight", size, model.Width);
            Add($"{path}.adapter_down.0.bias", size);
            Add($"{path}.adapter_up.weight", model.Width, size);
            Add($"{path}.adapter_up.bias", model.Width);
        }

        AdapterWriter.Write(folder, MethodTable.NewConfig("BOTTLENECK", model, new JsonObject { ["mh_adapter"] = false }), tensors);

        void Add(string name, params long[] shape) =>
            tensors.Add(Tensor.FromFloats(name, [.. Enumerable.Range(0, (int)shape.Aggregate((a, b) => a * b)).Select(_ => random.NextSingle() - 0.5f)], shape));
    }
}
