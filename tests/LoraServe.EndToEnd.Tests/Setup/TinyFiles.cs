using System.Text.Json;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;
using LoraServe.Testing;

namespace LoraServe.EndToEnd.Tests.Setup;

/// <summary>Writes a small random Llama with a tokenizer and a chat template, and adapters for it; the same for the same seed.</summary>
internal static class TinyFiles
{
    public const int Width = 64;
    public const int VocabularySize = 720;
    public const int ContextLength = 512;
    public const uint EndToken = 701;

    private const int Layers = 2;
    private const int KeyValueWidth = 32;
    private const int FeedForwardWidth = 96;

    /// <summary>Shows the roles, so that a wrongly rendered conversation has other tokens.</summary>
    private const string ChatTemplate = "{% for message in messages %}<{{ message.role }}>{{ message.content }}\n{% endfor %}<assistant>";

    /// <summary>A Hugging Face directory.</summary>
    public static string WriteModel(string folder, int seed = 1)
    {
        Directory.CreateDirectory(folder);
        var config = new Dictionary<string, object?>
        {
            ["architectures"] = new[] { "LlamaForCausalLM" },
            ["model_type"] = "llama",
            ["vocab_size"] = VocabularySize,
            ["hidden_size"] = Width,
            ["intermediate_size"] = FeedForwardWidth,
            ["num_hidden_layers"] = Layers,
            ["num_attention_heads"] = 4,
            ["num_key_value_heads"] = 2,
            ["max_position_embeddings"] = ContextLength,
            ["rms_norm_eps"] = 1e-5,
            ["rope_theta"] = 10_000.0,
            ["hidden_act"] = "silu",
            ["tie_word_embeddings"] = true,
            ["bos_token_id"] = 700,
            ["eos_token_id"] = EndToken,
        };
        File.WriteAllText(Path.Combine(folder, "config.json"), JsonSerializer.Serialize(config));
        File.WriteAllText(Path.Combine(folder, "chat_template.jinja"), ChatTemplate);
        File.Copy(Repository.Fixture("tokenizers/added-tokens/tokenizer.json"), Path.Combine(folder, "tokenizer.json"));
        var random = new Random(seed);
        List<Tensor> tensors = [Matrix(random, "model.embed_tokens.weight", VocabularySize, Width), Gains(random, "model.norm.weight")];
        for (int layer = 0; layer < Layers; layer++)
        {
            string at = $"model.layers.{layer}";
            tensors.Add(Gains(random, $"{at}.input_layernorm.weight"));
            tensors.Add(Gains(random, $"{at}.post_attention_layernorm.weight"));
            tensors.Add(Matrix(random, $"{at}.self_attn.q_proj.weight", Width, Width));
            tensors.Add(Matrix(random, $"{at}.self_attn.k_proj.weight", KeyValueWidth, Width));
            tensors.Add(Matrix(random, $"{at}.self_attn.v_proj.weight", KeyValueWidth, Width));
            tensors.Add(Matrix(random, $"{at}.self_attn.o_proj.weight", Width, Width));
            tensors.Add(Matrix(random, $"{at}.mlp.gate_proj.weight", FeedForwardWidth, Width));
            tensors.Add(Matrix(random, $"{at}.mlp.up_proj.weight", FeedForwardWidth, Width));
            tensors.Add(Matrix(random, $"{at}.mlp.down_proj.weight", Width, FeedForwardWidth));
        }

        SafetensorsFile.Write(Path.Combine(folder, "model.safetensors"), tensors);
        return folder;
    }

    /// <summary>A LoRA adapter of q_proj and v_proj in both layers.</summary>
    /// <param name="folder">Where it is written.</param>
    /// <param name="seed">What its weights are drawn from.</param>
    /// <param name="rank">Its rank.</param>
    /// <param name="width">Width of the base that it is made for.</param>
    /// <param name="module">The name of the first module that it changes.</param>
    public static string WriteAdapter(string folder, int seed, int rank = 4, int width = Width, string module = "q_proj")
    {
        var random = new Random(seed);
        List<Tensor> tensors = [];
        for (int layer = 0; layer < Layers; layer++)
        {
            foreach ((string name, int outputs) in new[] { (module, width), ("v_proj", width / 2) })
            {
                string path = $"base_model.model.model.layers.{layer}.self_attn.{name}";
                tensors.Add(Matrix(random, $"{path}.lora_A.weight", rank, width));
                tensors.Add(Matrix(random, $"{path}.lora_B.weight", width == Width ? outputs : width, rank));
            }
        }

        return WriteAdapter(folder, rank, [module, "v_proj"], tensors);
    }

    /// <summary>A LoRA adapter whose only module the model lacks.</summary>
    public static string WriteUnmatchedAdapter(string folder)
    {
        const string Path = "base_model.model.model.layers.0.self_attn.nonesuch_proj";
        var random = new Random(1);
        return WriteAdapter(folder, 2, ["nonesuch_proj"], [Matrix(random, $"{Path}.lora_A.weight", 2, Width), Matrix(random, $"{Path}.lora_B.weight", Width, 2)]);
    }

    /// <summary>A LoRA adapter of a token table with another vocabulary.</summary>
    public static string WriteAdapterOfOtherVocabulary(string folder)
    {
        const string Path = "base_model.model.model.embed_tokens";
        var random = new Random(1);
        return WriteAdapter(folder, 2, ["embed_tokens"], [Matrix(random, $"{Path}.lora_embedding_A", 2, VocabularySize + 100), Matrix(random, $"{Path}.lora_embedding_B", Width, 2)]);
    }

    /// <summary>Random tokens of the vocabulary, none of them special.</summary>
    public static uint[] Tokens(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (uint)random.Next(1, 700))];
    }

    private static string WriteAdapter(string folder, int rank, string[] modules, List<Tensor> tensors)
    {
        Directory.CreateDirectory(folder);
        SafetensorsFile.Write(Path.Combine(folder, "adapter_model.safetensors"), tensors);
        var config = new Dictionary<string, object?>
        {
            ["peft_type"] = "LORA",
            ["task_type"] = "CAUSAL_LM",
            ["r"] = rank,
            ["lora_alpha"] = 2 * rank,
            ["target_modules"] = modules,
            ["bias"] = "none",
        };
        File.WriteAllText(Path.Combine(folder, "adapter_config.json"), JsonSerializer.Serialize(config));
        return folder;
    }

    private static Tensor Matrix(Random random, string name, int rows, int columns) =>
        Tensor.FromFloats(name, Values(random, rows * columns, 1.7f / MathF.Sqrt(columns), 0), rows, columns);

    private static Tensor Gains(Random random, string name) => Tensor.FromFloats(name, Values(random, Width, 0.3f, 1), Width);

    private static float[] Values(Random random, int count, float range, float middle) =>
        [.. Enumerable.Range(0, count).Select(_ => middle + (((random.NextSingle() * 2) - 1) * range))];
}
