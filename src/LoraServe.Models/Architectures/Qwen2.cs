using System.Collections.Immutable;
using System.Text.Json;
using LoraServe.Adapters.Edits;
using LoraServe.Models.Config;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Architectures;

/// <summary>Qwen2 and Qwen2.5: biases of query, key and value; upper layers may attend in a sliding window.</summary>
internal static class Qwen2
{
    private const string Name = "qwen2";
    private const string Full = "full_attention";
    private const string Sliding = "sliding_attention";
    private static readonly ImmutableArray<SiteRole> s_biases = [SiteRole.Query, SiteRole.Key, SiteRole.Value];

    public static Architecture Architecture { get; } = new()
    {
        Name = Name,
        ClassName = "Qwen2ForCausalLM",
        FromHuggingFace = ReadConfig,
        ToHuggingFace = WriteConfig,
        FromGguf = file => new GgufConfig(file, Name).Read(),
    };

    private static TransformerSpec ReadConfig(JsonFields config)
    {
        TransformerSpec spec = HuggingFaceConfig.Read(config, Name);
        return spec with { Biases = s_biases, Windows = Windows(config, spec.LayerCount) };
    }

    private static void WriteConfig(Utf8JsonWriter json, TransformerSpec spec, string model)
    {
        if (!spec.Biases.ToHashSet().SetEquals(s_biases))
        {
            throw HuggingFaceConfig.Unsayable(model, $"biases at {(spec.Biases.IsEmpty ? "no linear map" : string.Join(", ", spec.Biases))} instead of {string.Join(", ", s_biases)}");
        }

        HuggingFaceConfig.Write(json, spec, model);
        int window = spec.Windows.Max();
        if (window > 0)
        {
            json.WriteBoolean("use_sliding_window", true);
            json.WriteNumber("sliding_window", window);
            json.WriteStartArray("layer_types");
            foreach (int width in spec.Windows)
            {
                json.WriteStringValue(width > 0 ? Sliding : Full);
            }

            json.WriteEndArray();
        }
    }

    /// <summary>Windows by <c>layer_types</c>, else for the layers from <c>max_window_layers</c> on.</summary>
    private static ImmutableArray<int> Windows(JsonFields config, int layers)
    {
        int window = config.Bool("use_sliding_window", otherwise: false) ? (int)(config.FindInteger("sliding_window", 1, int.MaxValue) ?? 4096) : 0;
        if (config.Strings("layer_types") is not { } types)
        {
            long firstWindowed = config.FindInteger("max_window_layers", 0, int.MaxValue) ?? 28;
            return [.. Enumerable.Range(0, layers).Select(layer => layer >= firstWindowed ? window : 0)];
        }

        bool known = types.Length == layers && Array.TrueForAll(types, type => type == Full || (type == Sliding && window > 0));
        return known
            ? [.. types.Select(type => type == Sliding ? window : 0)]
            : throw config.Wrong("layer_types", $"{layers} times {Full} or, with use_sliding_window, {Sliding}");
    }
}
