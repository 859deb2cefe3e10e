using System.Text.Json;
using System.Text.Json.Nodes;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;

namespace LoraServe.EmbeddedBase;

/// <summary>Writes a Llama-architecture model that has learnt nothing yet.</summary>
internal static class UntrainedModel
{
    private const double RopeTheta = 10000;
    private const int UniformsOfANormal = 12;
    private static readonly JsonSerializerOptions s_readable = new() { WriteIndented = true };

    /// <summary>Writes <c>config.json</c> and <c>model.safetensors</c>: normal weights, those that end a residual branch smaller with depth, gains of one.</summary>
    public static void Write(string directory, BaseRecipe recipe)
    {
        int headSize = recipe.Width / recipe.Heads;
        var config = new JsonObject
        {
            ["architectures"] = new JsonArray("LlamaForCausalLM"),
            ["model_type"] = "llama",
            ["vocab_size"] = recipe.VocabularySize,
            ["hidden_size"] = recipe.Width,
            ["intermediate_size"] = recipe.FeedForwardWidth,
            ["num_hidden_layers"] = recipe.Layers,
            ["num_attention_heads"] = recipe.Heads,
            ["num_key_value_heads"] = recipe.KeyValueHeads,
            ["head_dim"] = headSize,
            ["max_position_embeddings"] = recipe.Context,
            ["rms_norm_eps"] = 1e-5,
            ["rope_theta"] = RopeTheta,
            ["hidden_act"] = "silu",
            ["tie_word_embeddings"] = true,
            ["torch_dtype"] = "float32",
            ["attention_bias"] = false,
            ["mlp_bias"] = false,
            ["bos_token_id"] = 0,
            ["eos_token_id"] = 1,
        };
        File.WriteAllText(Path.Combine(directory, "config.json"), config.ToJsonString(s_readable));
        var random = new Random(recipe.Seed);
        SafetensorsFile.Write(Path.Combine(directory, "model.safetensors"), Tensors(recipe, headSize, random), new Dictionary<string, string> { ["format"] = "pt" });
    }

    private static IEnumerable<Tensor> Tensors(BaseRecipe recipe, int headSize, Random random)
    {
        double deviation = 0.5 / Math.Sqrt(recipe.Width);
        double last = deviation / Math.Sqrt(2 * recipe.Layers);
        yield return Weight("model.embed_tokens", recipe.VocabularySize, recipe.Width, deviation);
        for (int layer = 0; layer < recipe.Layers; layer++)
        {
            string prefix = $"model.layers.{layer}.";
            yield return Gains($"{prefix}input_layernorm");
            yield return Weight($"{prefix}self_attn.q_proj", recipe.Heads * headSize, recipe.Width, deviation);
            yield return Weight($"{prefix}self_attn.k_proj", recipe.KeyValueHeads * headSize, recipe.Width, deviation);
            yield return Weight($"{prefix}self_attn.v_proj", recipe.KeyValueHeads * headSize, recipe.Width, deviation);
            yield return Weight($"{prefix}self_attn.o_proj", recipe.Width, recipe.Heads * headSize, last);
            yield return Gains($"{prefix}post_attention_layernorm");
            yield return Weight($"{prefix}mlp.gate_proj", recipe.FeedForwardWidth, recipe.Width, deviation);
            yield return Weight($"{prefix}mlp.up_proj", recipe.FeedForwardWidth, recipe.Width, deviation);
            yield return Weight($"{prefix}mlp.down_proj", recipe.Width, recipe.FeedForwardWidth, last);
        }

        yield return Gains("model.norm");

        Tensor Weight(string name, int outputs, int inputs, double scale) => Tensor.FromFloats($"{name}.weight", Normal(outputs * inputs, scale), outputs, inputs);

        Tensor Gains(string name) => Tensor.FromFloats($"{name}.weight", [.. Enumerable.Repeat(1f, recipe.Width)], recipe.Width);

        // The sum of twelve uniform numbers: normal enough, and the same on every machine, as logarithms are not.
        float[] Normal(int count, double scale)
        {
            float[] values = new float[count];
            for (int i = 0; i < count; i++)
            {
                double sum = -UniformsOfANormal / 2.0;
                for (int j = 0; j < UniformsOfANormal; j++)
                {
                    sum += random.NextDouble();
                }

                values[i] = (float)(sum * scale);
            }

            return values;
        }
    }
}
