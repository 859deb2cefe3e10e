using System.Text.Json;
using LoraServe.Adapters.Edits;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;
using LoraServe.Models;
using LoraServe.Models.Spec;
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

        Save(folder, tensors, config);
        return folder;
    }

    /// <summary>Prompt tuning whose embeddings are those of tokens of <c>TinyModel.Create(seed: 1)</c>.</summary>
    public static string WriteVirtualTokens(string folder, int[] tokens)
    {
        using Transformer model = TinyModel.Create(seed: 1);
        float[] rows = new float[tokens.Length * model.Width];
        for (int i = 0; i < tokens.Length; i++)
        {
            model.CopyWeightRow(Site.Embedding, tokens[i], rows.AsSpan(i * model.Width, model.Width));
        }

        return WriteLearnedPrompt(folder, "PROMPT_TUNING", rows, tokens.Length, model.Width);
    }

    /// <summary>Prefix tuning with random keys and values.</summary>
    public static string WritePrefix(string folder, int seed, int count)
    {
        TransformerSpec spec = TinyModel.DefaultSpec;
        int width = spec.LayerCount * 2 * spec.KeyValueHeads * spec.HeadSize;
        return WriteLearnedPrompt(folder, "PREFIX_TUNING", Values(new Random(seed), count * width, 1), count, spec.KeyValueHeads * spec.HeadSize);
    }

    /// <summary>IA3 of k_proj, v_proj and down_proj in both layers.</summary>
    public static string WriteScales(string folder, int seed)
    {
        Directory.CreateDirectory(folder);
        var random = new Random(seed);
        TransformerSpec spec = TinyModel.DefaultSpec;
        List<Tensor> tensors = [];
        for (int layer = 0; layer < spec.LayerCount; layer++)
        {
            string path = $"base_model.model.model.layers.{layer}";
            int width = spec.KeyValueHeads * spec.HeadSize;
            tensors.Add(Tensor.FromFloats($"{path}.self_attn.k_proj.ia3_l", Values(random, width, 1), width, 1));
            tensors.Add(Tensor.FromFloats($"{path}.self_attn.v_proj.ia3_l", Values(random, width, 1), width, 1));
            tensors.Add(Tensor.FromFloats($"{path}.mlp.down_proj.ia3_l", Values(random, spec.FeedForwardWidth, 1), 1, spec.FeedForwardWidth));
        }

        Save(folder, tensors, new Dictionary<string, object?>
        {
            ["peft_type"] = "IA3",
            ["task_type"] = "CAUSAL_LM",
            ["target_modules"] = new[] { "k_proj", "v_proj", "down_proj" },
            ["feedforward_modules"] = new[] { "down_proj" },
        });
        return folder;
    }

    /// <summary>VeRA of q_proj and v_proj in both layers, with the projections of a seed of their own.</summary>
    public static string WriteShared(string folder, int seed, int projection, int rank = 8)
    {
        Directory.CreateDirectory(folder);
        var random = new Random(seed);
        TransformerSpec spec = TinyModel.DefaultSpec;
        List<Tensor> tensors = [];
        for (int layer = 0; layer < spec.LayerCount; layer++)
        {
            foreach ((string module, int outputs) in new[] { ("q_proj", 96), ("v_proj", 48) })
            {
                string path = $"base_model.model.model.layers.{layer}.self_attn.{module}";
                tensors.Add(Tensor.FromFloats($"{path}.vera_lambda_d", Values(random, rank, 1), rank));
                tensors.Add(Tensor.FromFloats($"{path}.vera_lambda_b", Values(random, outputs, 1), outputs));
            }
        }

        Save(folder, tensors, new Dictionary<string, object?>
        {
            ["peft_type"] = "VERA",
            ["task_type"] = "CAUSAL_LM",
            ["r"] = rank,
            ["target_modules"] = new[] { "q_proj", "v_proj" },
            ["projection_prng_key"] = projection,
            ["save_projection"] = false,
        });
        return folder;
    }

    /// <summary>X-LoRA of several LoRA adapters, in folders of their own, with a classifier of two layers.</summary>
    public static string WriteMixture(string folder, int seed, int count = 3, bool layerwise = false, float pass = 0)
    {
        const int Size = 12;
        for (int i = 0; i < count; i++)
        {
            Write(Path.Combine(folder, $"{i}"), seed + i, rank: 2 + i);
        }

        TransformerSpec spec = TinyModel.DefaultSpec;
        int outputs = count * (layerwise ? 2 * spec.LayerCount : 1);
        var random = new Random(seed);
        const string Classifier = "base_model.internal_xlora_classifier";
        Save(
            folder,
            [
                Tensor.FromFloats($"{Classifier}.layers.0.weight", Values(random, Size * spec.Width, 1), Size, spec.Width),
                Tensor.FromFloats($"{Classifier}.layers.0.bias", Values(random, Size, 1), Size),
                Tensor.FromFloats($"{Classifier}.layers.3.weight", Values(random, outputs * Size, 1), outputs, Size),
                Tensor.FromFloats($"{Classifier}.layers.3.bias", Values(random, outputs, 1), outputs),
            ],
            new Dictionary<string, object?>
            {
                ["peft_type"] = "XLORA",
                ["task_type"] = "CAUSAL_LM",
                ["hidden_size"] = spec.Width,
                ["adapters"] = Enumerable.Range(0, count).ToDictionary(i => $"{i}", i => $"/somewhere/else/{i}"),
                ["layerwise_scalings"] = layerwise,
                ["scaling_pass_value"] = pass,
                ["xlora_depth"] = 2,
                ["xlora_size"] = Size,
            });
        return folder;
    }

    private static string WriteLearnedPrompt(string folder, string type, float[] rows, int count, int tokenWidth)
    {
        Directory.CreateDirectory(folder);
        Save(folder, [Tensor.FromFloats("prompt_embeddings", rows, count, rows.Length / count)], new Dictionary<string, object?>
        {
            ["peft_type"] = type,
            ["task_type"] = "CAUSAL_LM",
            ["num_virtual_tokens"] = count,
            ["num_layers"] = TinyModel.DefaultSpec.LayerCount,
            ["num_attention_heads"] = type == "PREFIX_TUNING" ? TinyModel.DefaultSpec.KeyValueHeads : TinyModel.DefaultSpec.QueryHeads,
            ["token_dim"] = tokenWidth,
            ["num_transformer_submodules"] = 1,
        });
        return folder;
    }

    private static void Save(string folder, List<Tensor> tensors, Dictionary<string, object?> config)
    {
        SafetensorsFile.Write(Path.Combine(folder, "adapter_model.safetensors"), tensors, new Dictionary<string, string>());
        File.WriteAllText(Path.Combine(folder, "adapter_config.json"), JsonSerializer.Serialize(config));
    }

    private static float[] Values(Random random, int count, float scale) =>
        [.. Enumerable.Range(0, count).Select(_ => ((random.NextSingle() * 2) - 1) * scale)];
}
