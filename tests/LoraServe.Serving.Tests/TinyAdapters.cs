using System.Text.Json;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;
using LoraServe.Testing;

namespace LoraServe.Serving.Tests;

/// <summary>Writes PEFT directories for <see cref="TinyModel"/>, the same for the same seed.</summary>
internal static class TinyAdapters
{
    /// <summary>A LoRA adapter of q_proj and v_proj in both layers.</summary>
    public static string Write(string folder, int seed, int rank = 4, float scale = 1, int[]? invocation = null)
    {
        Directory.CreateDirectory(folder);
        var random = new Random(seed);
        int width = TinyModel.DefaultSpec.Width;
        List<Tensor> tensors = [];
        for (int layer = 0; layer < TinyModel.DefaultSpec.LayerCount; layer++)
        {
            foreach ((string module, int outputs) in new[] { ("q_proj", 96), ("v_proj", 48) })
            {
                string path = $"base_model.model.model.layers.{layer}.self_attn.{module}";
                tensors.Add(Tensor.FromFloats($"{path}.lora_A.weight", Values(random, rank * width, 1), rank, width));
                tensors.Add(Tensor.FromFloats($"{path}.lora_B.weight", Values(random, outputs * rank, scale), outputs, rank));
            }
        }

        SafetensorsFile.Write(Path.Combine(folder, "adapter_model.safetensors"), tensors, new Dictionary<string, string>());
        var config = new Dictionary<string, object?>
        {
            ["peft_type"] = "LORA",
            ["task_type"] = "CAUSAL_LM",
            ["r"] = rank,
            ["lora_alpha"] = rank,
            ["target_modules"] = new[] { "q_proj", "v_proj" },
            ["bias"] = "none",
        };
        if (invocation is not null)
        {
            config["alora_invocation_tokens"] = invocation;
        }

        File.WriteAllText(Path.Combine(folder, "adapter_config.json"), JsonSerializer.Serialize(config));
        return folder;
    }

    private static float[] Values(Random random, int count, float scale) =>
        [.. Enumerable.Range(0, count).Select(_ => ((random.NextSingle() * 2) - 1) * scale)];
}
