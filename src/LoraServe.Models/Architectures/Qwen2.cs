using System.Collections.Immutable;
using System.Text.Json;
using LoraServe.Adapters.Edits;
using LoraServe.Models.Config;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Architectures;

/// <summary>Qwen2 and Qwen2.5: biases of query, key and value; upper layers may attend in a sliding window.</summary>
internal static class Qwen2
{
    private static readonly ConfigForm s_form = new() { Architecture = "qwen2" };
    private static readonly ImmutableArray<SiteRole> s_biases = [SiteRole.Query, SiteRole.Key, SiteRole.Value];

    public static Architecture Architecture { get; } = new()
    {
        Name = s_form.Architecture,
        ClassName = "Qwen2ForCausalLM",
        FromHuggingFace = config =>
        {
            TransformerSpec spec = HuggingFaceConfig.Read(config, s_form);
            return spec with { Biases = s_biases, Windows = ReadWindows(config, spec.LayerCount) };
        },
        ToHuggingFace = (json, spec, model) =>
        {
            if (!spec.Biases.ToHashSet().SetEquals(s_biases))
            {
                throw HuggingFaceConfig.Unsayable(model, $"biases at {(spec.Biases.IsEmpty ? "no linear map" : string.Join(", ", spec.Biases))} instead of {string.Join(", ", s_biases)}");
            }

            HuggingFaceConfig.Write(json, spec, s_form, model);
            WriteWindows(json, spec);
        },
        FromGguf = config => config.Read(s_form),
    };

    /// <summary>With <c>use_sliding_window</c>: by <c>layer_types</c>, else the layers from <c>max_window_layers</c> on.</summary>
    public static ImmutableArray<int> ReadWindows(JsonFields config, int layers)
    {
        int window = config.Bool("use_sliding_window", otherwise: false) ? WindowConfig.Find(config, otherwise: 4096) : 0;
        long first = config.FindInteger("max_window_layers", 0, int.MaxValue) ?? 28;
        return WindowConfig.OfSome(config, layers, window, layer => layer >= first);
    }

    /// <summary>Writes what <see cref="ReadWindows"/> reads.</summary>
    public static void WriteWindows(Utf8JsonWriter json, TransformerSpec spec)
    {
        if (spec.Windows.Max() > 0)
        {
            json.WriteBoolean("use_sliding_window", true);
            WindowConfig.Write(json, spec);
            WindowConfig.WriteTypes(json, spec);
        }
    }
}
