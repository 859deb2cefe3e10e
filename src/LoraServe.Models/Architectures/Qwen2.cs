using System.Collections.Immutable;
using LoraServe.Adapters.Edits;
using LoraServe.Models.Config;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Architectures;

/// <summary>Qwen2 and Qwen2.5: biases of query, key and value; upper layers may attend in a sliding window.</summary>
internal static class Qwen2
{
    private const string Name = "qwen2";

    public static Architecture Architecture { get; } = new()
    {
        Name = Name,
        ClassName = "Qwen2ForCausalLM",
        FromHuggingFace = ReadConfig,
        FromGguf = file => new GgufConfig(file, Name).Read(),
    };

    private static TransformerSpec ReadConfig(JsonFields config)
    {
        TransformerSpec spec = HuggingFaceConfig.Read(config, Name);
        return spec with { Biases = [SiteRole.Query, SiteRole.Key, SiteRole.Value], Windows = Windows(config, spec.LayerCount) };
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

        bool known = types.Length == layers && Array.TrueForAll(types, type => type == "full_attention" || (type == "sliding_attention" && window > 0));
        return known
            ? [.. types.Select(type => type == "sliding_attention" ? window : 0)]
            : throw config.Wrong("layer_types", $"{layers} times full_attention or, with use_sliding_window, sliding_attention");
    }
}
