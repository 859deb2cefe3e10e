using System.Text.Json;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Config;

/// <summary>Reads and writes what config.json of every decoder with rotary positions and a SiLU-gated MLP has in common.</summary>
internal static class HuggingFaceConfig
{
    public static TransformerSpec Read(JsonFields config, string architecture)
    {
        int width = (int)config.Integer("hidden_size", 1, SpecLimits.Width);
        int layers = (int)config.Integer("num_hidden_layers", 1, SpecLimits.Layers);
        int heads = (int)config.Integer("num_attention_heads", 1, SpecLimits.Heads);
        int keyValueHeads = (int)(config.FindInteger("num_key_value_heads", 1, SpecLimits.Heads) ?? heads);
        if (heads % keyValueHeads != 0)
        {
            throw config.Wrong("num_key_value_heads", $"a divisor of num_attention_heads, {heads}");
        }

        int headSize = HeadSize(config, width, heads);
        string activation = config.String("hidden_act") ?? "silu";
        if (activation is not ("silu" or "swish"))
        {
            throw config.Wrong("hidden_act", "silu");
        }

        long positions = config.Integer("max_position_embeddings", 1, long.MaxValue);
        RopeSpec rope = RopeConfig.Read(config, positions, headSize);
        return new TransformerSpec
        {
            Architecture = architecture,
            LayerCount = layers,
            Width = width,
            QueryHeads = heads,
            KeyValueHeads = keyValueHeads,
            HeadSize = headSize,
            FeedForwardWidth = (int)config.Integer("intermediate_size", 1, SpecLimits.Width),
            VocabularySize = (int)config.Integer("vocab_size", 1, SpecLimits.Vocabulary),
            ContextLength = SpecLimits.Context(positions, rope),
            NormEpsilon = (float)(config.FindNumber("rms_norm_eps", 0) ?? 1e-6),
            TiedHead = config.Bool("tie_word_embeddings", otherwise: false),
            Rope = rope,
            Windows = [.. new int[layers]],
        };
    }

    /// <summary>Writes what <see cref="Read"/> reads.</summary>
    /// <param name="json">Where to, within the object.</param>
    /// <param name="spec">The model's shape.</param>
    /// <param name="model">What it is called where it is refused.</param>
    public static void Write(Utf8JsonWriter json, TransformerSpec spec, string model)
    {
        json.WriteNumber("vocab_size", spec.VocabularySize);
        json.WriteNumber("hidden_size", spec.Width);
        json.WriteNumber("intermediate_size", spec.FeedForwardWidth);
        json.WriteNumber("num_hidden_layers", spec.LayerCount);
        json.WriteNumber("num_attention_heads", spec.QueryHeads);
        json.WriteNumber("num_key_value_heads", spec.KeyValueHeads);
        json.WriteNumber("head_dim", spec.HeadSize);
        json.WriteNumber("max_position_embeddings", spec.Rope.Scaling is RopeScaling.Linear or RopeScaling.Dynamic ? spec.Rope.OriginalContext : spec.ContextLength);
        json.WriteNumber("rms_norm_eps", spec.NormEpsilon);
        json.WriteString("hidden_act", "silu");
        json.WriteBoolean("tie_word_embeddings", spec.TiedHead);
        RopeConfig.Write(json, spec.Rope, model);
    }

    /// <summary>The refusal of a model that has what config.json has no field for.</summary>
    public static ModelFormatException Unsayable(string model, string what) =>
        new(model, $"has {what}, which config.json cannot say; merge into the model's Hugging Face directory instead");

    private static int HeadSize(JsonFields config, int width, int heads)
    {
        if (config.FindInteger("head_dim", 1, SpecLimits.HeadSize) is { } explicitSize)
        {
            return explicitSize % 2 == 0 ? (int)explicitSize : throw config.Wrong("head_dim", "an even number, since rotary positions turn pairs");
        }

        return width % heads == 0 && width / heads % 2 == 0
            ? width / heads
            : throw config.Wrong("hidden_size", $"an even multiple of num_attention_heads, {heads}, where head_dim is not given");
    }
}
