using System.Text.Json;
using LoraServe.Compute;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;
using LoraServe.Cpu;
using LoraServe.Models;
using LoraServe.Serving;
using LoraServe.Serving.Options;
using LoraServe.Serving.Requests;
using LoraServe.Testing;

namespace LoraServe.Jobs.Tests;

/// <summary>An engine over the smallest model that travels with the repository, and adapters for it.</summary>
internal sealed class SmallEngine : IAsyncDisposable
{
    private const int Rank = 2;
    private const int Width = 32;

    private readonly LoadedModel _model = ModelLoader.Load(CpuDevice.Instance, Repository.Fixture("models/llama-tied"), new ModelLoadOptions { Arithmetic = Arithmetic.Exact });
    private readonly string _folder = Directory.CreateTempSubdirectory("loraserve-").FullName;

    public SmallEngine() => Engine = new InferenceEngine(_model, new EngineOptions { Workers = 1, KvCacheBytes = 1 << 20 }, Log);

    /// <summary>What the engine logs; errors that a test does not name here fail it.</summary>
    public ErrorLog Log { get; } = new();

    public InferenceEngine Engine { get; }

    public LoadedModel Model => _model;

    /// <summary>Publishes a small random adapter.</summary>
    public async Task PublishAsync(string name, string owner) =>
        await Engine.Adapters.PublishAsync(new Principal(owner, IsAdmin: true), name, WriteAdapter(Path.Combine(_folder, name)));

    /// <summary>Writes a small random adapter.</summary>
    public static string WriteAdapter(string folder)
    {
        Directory.CreateDirectory(folder);
        string path = "base_model.model.model.layers.0.self_attn.q_proj";
        var random = new Random(1);
        SafetensorsFile.Write(
            Path.Combine(folder, "adapter_model.safetensors"),
            [
                Tensor.FromFloats($"{path}.lora_A.weight", Values(random), Rank, Width),
                Tensor.FromFloats($"{path}.lora_B.weight", Values(random), Width, Rank),
            ]);
        File.WriteAllText(
            Path.Combine(folder, "adapter_config.json"),
            JsonSerializer.Serialize(new { peft_type = "LORA", task_type = "CAUSAL_LM", r = Rank, lora_alpha = Rank, target_modules = "model.layers.0.self_attn.q_proj", bias = "none" }));
        return folder;
    }

    public async ValueTask DisposeAsync()
    {
        await Engine.DisposeAsync();
        _model.Dispose();
        Directory.Delete(_folder, recursive: true);
        Log.Verify();
    }

    private static float[] Values(Random random) => [.. Enumerable.Range(0, Rank * Width).Select(_ => random.NextSingle() - 0.5f)];
}
