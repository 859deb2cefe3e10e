using System.Text.Json;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;

namespace LoraServe.EndToEnd.Tests.Setup;

/// <summary>A model that says what a test wants: after each token one other is certain, whatever came before.</summary>
internal static class ScriptedModel
{
    private const int Width = 128;
    private const int HalfWidth = 64;
    private const string Unknown = "<unk>";
    private const string End = "</s>";

    /// <summary>Writes a Hugging Face directory.</summary>
    /// <param name="folder">Where.</param>
    /// <param name="template">Its chat template.</param>
    /// <param name="special">The tokens that are special.</param>
    /// <param name="scripts">Each a token that a prompt ends with, and those of the answer to it. No token occurs twice.</param>
    public static string Write(string folder, string template, IReadOnlyList<string> special, params string[][] scripts)
    {
        Directory.CreateDirectory(folder);
        string[] tokens = [Unknown, End, .. scripts.SelectMany(script => script)];
        Assert.Equal(tokens.Length, tokens.Distinct().Count());
        Assert.True(tokens.Length <= Width);
        File.WriteAllText(Path.Combine(folder, "chat_template.jinja"), template);
        WriteTokenizer(folder, tokens, special);
        File.WriteAllText(Path.Combine(folder, "config.json"), JsonSerializer.Serialize(new Dictionary<string, object?>
        {
            ["architectures"] = new[] { "LlamaForCausalLM" },
            ["model_type"] = "llama",
            ["vocab_size"] = tokens.Length,
            ["hidden_size"] = Width,
            ["intermediate_size"] = HalfWidth,
            ["num_hidden_layers"] = 1,
            ["num_attention_heads"] = 4,
            ["num_key_value_heads"] = 2,
            ["max_position_embeddings"] = 4096,
            ["rms_norm_eps"] = 1e-5,
            ["hidden_act"] = "silu",
            ["tie_word_embeddings"] = false,
            ["eos_token_id"] = 1,
        }));

        // A token's vector is a direction of its own, layers add nothing, and the head knows for each direction what comes next.
        float[] head = new float[tokens.Length * Width];
        foreach (string[] script in scripts)
        {
            for (int i = 0; i < script.Length; i++)
            {
                int next = i + 1 < script.Length ? Array.IndexOf(tokens, script[i + 1]) : 1;
                head[(next * Width) + Array.IndexOf(tokens, script[i])] = 1;
            }
        }

        float[] directions = new float[tokens.Length * Width];
        for (int token = 0; token < tokens.Length; token++)
        {
            directions[(token * Width) + token] = 1;
        }

        const string Layer = "model.layers.0";
        SafetensorsFile.Write(Path.Combine(folder, "model.safetensors"),
        [
            Tensor.FromFloats("model.embed_tokens.weight", directions, tokens.Length, Width),
            Tensor.FromFloats("lm_head.weight", head, tokens.Length, Width),
            Ones("model.norm.weight"),
            Ones($"{Layer}.input_layernorm.weight"),
            Ones($"{Layer}.post_attention_layernorm.weight"),
            Zeros($"{Layer}.self_attn.q_proj.weight", Width, Width),
            Zeros($"{Layer}.self_attn.k_proj.weight", HalfWidth, Width),
            Zeros($"{Layer}.self_attn.v_proj.weight", HalfWidth, Width),
            Zeros($"{Layer}.self_attn.o_proj.weight", Width, Width),
            Zeros($"{Layer}.mlp.gate_proj.weight", HalfWidth, Width),
            Zeros($"{Layer}.mlp.up_proj.weight", HalfWidth, Width),
            Zeros($"{Layer}.mlp.down_proj.weight", Width, HalfWidth),
        ]);
        return folder;
    }

    private static void WriteTokenizer(string folder, string[] tokens, IReadOnlyList<string> special)
    {
        var added = tokens.Select((token, id) => new
        {
            id,
            content = token,
            single_word = false,
            lstrip = false,
            rstrip = false,
            normalized = false,
            special = id < 2 || special.Contains(token),
        });
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), JsonSerializer.Serialize(new
        {
            version = "1.0",
            added_tokens = added,
            decoder = new { type = "Fuse" },
            model = new { type = "BPE", vocab = new Dictionary<string, int> { [Unknown] = 0 }, merges = Array.Empty<string>(), unk_token = Unknown },
        }));
        File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), JsonSerializer.Serialize(new { eos_token = End }));
    }

    private static Tensor Ones(string name) => Tensor.FromFloats(name, [.. Enumerable.Repeat(1f, Width)], Width);

    private static Tensor Zeros(string name, int rows, int columns) => Tensor.FromFloats(name, new float[rows * columns], rows, columns);
}
