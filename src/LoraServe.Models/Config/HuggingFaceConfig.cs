using System.Text.Json;
using LoraServe.Adapters.Edits;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Config;

/// <summary>Reads and writes what config.json of every family has in common.</summary>
internal static class HuggingFaceConfig
{
    private static readonly (string Name, Activation Activation)[] s_activations =
    [
        ("silu", Activation.Silu), ("swish", Activation.Silu),
        ("gelu_pytorch_tanh", Activation.TanhGelu), ("gelu_new", Activation.TanhGelu), ("gelu_fast", Activation.TanhGelu),
        ("gelu", Activation.Gelu), ("relu", Activation.Relu),
    ];

    public static TransformerSpec Read(JsonFields config, ConfigForm form)
    {
        int width = (int)config.Integer(form.Width, 1, SpecLimits.Width);
        int layers = (int)config.Integer(form.Layers, 1, SpecLimits.Layers);
        int heads = (int)config.Integer(form.Heads, 1, SpecLimits.Heads);
        int keyValueHeads = (int)(config.FindInteger("num_key_value_heads", 1, SpecLimits.Heads) ?? heads);
        if (heads % keyValueHeads != 0)
        {
            throw config.Wrong("num_key_value_heads", $"a divisor of {form.Heads}, {heads}");
        }

        int headSize = HeadSize(config, form, width, heads);
        long positions = config.Integer(form.Positions, 1, long.MaxValue);
        RopeSpec rope = form.LearnsPositions ? new RopeSpec { Theta = 1, OriginalContext = SpecLimits.Clamp(positions) } : RopeConfig.Read(config, form, positions, headSize);
        return new TransformerSpec
        {
            Architecture = form.Architecture,
            LayerCount = layers,
            Width = width,
            QueryHeads = heads,
            KeyValueHeads = keyValueHeads,
            HeadSize = headSize,
            FeedForwardWidth = (int)(config.FindInteger(form.FeedForward, 1, SpecLimits.Width) ?? form.DefaultFeedForwardFactor * width ?? config.Integer(form.FeedForward, 1, SpecLimits.Width)),
            VocabularySize = (int)config.Integer("vocab_size", 1, SpecLimits.Vocabulary),
            ContextLength = SpecLimits.Context(positions, rope),
            NormEpsilon = (float)(config.FindNumber(form.Epsilon, 0) ?? form.DefaultEpsilon),
            TiedHead = config.Bool("tie_word_embeddings", form.TiesHead),
            Rope = rope,
            LearnsPositions = form.LearnsPositions,
            Windows = [.. new int[layers]],
            MlpActivation = ReadActivation(config, form.Activation) ?? form.DefaultActivation,
        };
    }

    /// <summary>An activation by its name; null where the field is missing.</summary>
    public static Activation? ReadActivation(JsonFields config, string field)
    {
        string? name = config.String(field);
        int index = Array.FindIndex(s_activations, known => known.Name == name);
        return name is null ? null
            : index >= 0 ? s_activations[index].Activation
            : throw config.Wrong(field, string.Join(", ", s_activations.Select(known => known.Name)));
    }

    /// <summary>Writes what <see cref="Read"/> reads.</summary>
    /// <param name="json">Where to, within the object.</param>
    /// <param name="spec">The model's shape.</param>
    /// <param name="form">The family's names.</param>
    /// <param name="model">What it is called where it is refused.</param>
    public static void Write(Utf8JsonWriter json, TransformerSpec spec, ConfigForm form, string model)
    {
        json.WriteNumber("vocab_size", spec.VocabularySize);
        json.WriteNumber(form.Width, spec.Width);
        json.WriteNumber(form.FeedForward, spec.FeedForwardWidth);
        json.WriteNumber(form.Layers, spec.LayerCount);
        json.WriteNumber(form.Heads, spec.QueryHeads);
        json.WriteNumber("num_key_value_heads", spec.KeyValueHeads);
        json.WriteNumber("head_dim", spec.HeadSize);
        json.WriteNumber(form.Positions, spec.Rope.Scaling is RopeScaling.Linear or RopeScaling.Dynamic ? spec.Rope.OriginalContext : spec.ContextLength);
        json.WriteNumber(form.Epsilon, spec.NormEpsilon);
        json.WriteString(form.Activation, NameOf(spec.MlpActivation));
        json.WriteBoolean("tie_word_embeddings", spec.TiedHead);
        if (!spec.LearnsPositions)
        {
            RopeConfig.Write(json, spec, form, model);
        }
    }

    /// <summary>The name that an activation has in config.json.</summary>
    public static string NameOf(Activation activation) => s_activations.First(known => known.Activation == activation).Name;

    /// <summary>Reads whether some linear maps have biases, all of them or none.</summary>
    public static SiteRole[] Biases(JsonFields config, string field, bool otherwise, params SiteRole[] roles) => config.Bool(field, otherwise) ? roles : [];

    /// <summary>Writes what <see cref="Biases"/> reads.</summary>
    public static void WriteBiases(Utf8JsonWriter json, TransformerSpec spec, string field, string model, params SiteRole[] roles)
    {
        SiteRole[] biased = [.. roles.Where(role => spec.Biases.Contains(role))];
        json.WriteBoolean(field, biased.Length == 0 || biased.Length == roles.Length
            ? biased.Length > 0
            : throw Unsayable(model, $"biases at {string.Join(", ", biased)} without {string.Join(", ", roles.Except(biased))}"));
    }

    /// <summary>The refusal of a model that has what config.json has no field for.</summary>
    public static ModelFormatException Unsayable(string model, string what) =>
        new(model, $"has {what}, which config.json cannot say; merge into the model's Hugging Face directory instead");

    private static int HeadSize(JsonFields config, ConfigForm form, int width, int heads)
    {
        if (config.FindInteger("head_dim", 1, SpecLimits.HeadSize) is { } explicitSize)
        {
            return explicitSize % 2 == 0 || form.LearnsPositions ? (int)explicitSize : throw config.Wrong("head_dim", "an even number, since rotary positions turn pairs");
        }

        if (form.DefaultHeadSize is { } size)
        {
            return size;
        }

        return width % heads == 0 && (form.LearnsPositions || width / heads % 2 == 0)
            ? width / heads
            : throw config.Wrong(form.Width, $"an even multiple of {form.Heads}, {heads}, where head_dim is not given");
    }
}
