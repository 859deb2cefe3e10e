using System.Text.Json;
using LoraServe.Adapters.Edits;
using LoraServe.Models.Config;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Architectures;

/// <summary>Qwen3 with experts, in all layers but those that are named to have an MLP.</summary>
internal static class Qwen3Moe
{
    private static readonly ConfigForm s_form = new() { Architecture = "qwen3_moe" };

    public static Architecture Architecture { get; } = new()
    {
        Name = s_form.Architecture,
        HasExperts = true,
        ClassName = "Qwen3MoeForCausalLM",
        FromHuggingFace = ReadConfig,
        ToHuggingFace = WriteConfig,
        GgufName = "qwen3moe",
        FromGguf = config => config.Read(s_form) with { LayerNorms = Qwen3.Norms, Experts = config.Experts() },
    };

    private static TransformerSpec ReadConfig(JsonFields config)
    {
        TransformerSpec spec = HuggingFaceConfig.Read(config, s_form);
        int width = (int)config.Integer("moe_intermediate_size", 1, SpecLimits.Width);
        long step = config.FindInteger("decoder_sparse_step", 1, int.MaxValue) ?? 1;
        int[] dense = config.OneOrMoreIntegers("mlp_only_layers", 0, spec.LayerCount - 1);
        ExpertsSpec experts = ExpertsConfig.Read(config, config.Has("num_experts") ? "num_experts" : "num_local_experts", width, spec.LayerCount, perRow: 8);
        return spec with
        {
            // With a window all layers slide, whatever max_window_layers says.
            Windows = config.Bool("use_sliding_window", otherwise: false) ? WindowConfig.OfAll(config, spec.LayerCount, otherwise: 4096) : spec.Windows,
            Biases = Llama.ReadBiases(config),
            LayerNorms = Qwen3.Norms,
            Experts = experts with
            {
                SharesAddUp = config.Bool("norm_topk_prob", otherwise: false),
                DenseLayers = [.. Enumerable.Range(0, spec.LayerCount).Where(layer => dense.Contains(layer) || (layer + 1) % step != 0)],
            },
        };
    }

    private static void WriteConfig(Utf8JsonWriter json, TransformerSpec spec, string model)
    {
        ExpertsSpec experts = spec.Experts!;
        HuggingFaceConfig.Write(json, spec, s_form, model);
        HuggingFaceConfig.WriteBiases(json, spec, "attention_bias", model, SiteRole.Query, SiteRole.Key, SiteRole.Value, SiteRole.Output);
        ExpertsConfig.Write(json, experts, "num_experts");
        json.WriteNumber("moe_intermediate_size", experts.Width);
        json.WriteBoolean("norm_topk_prob", experts.SharesAddUp);
        json.WriteNumber("decoder_sparse_step", 1);
        json.WriteStartArray("mlp_only_layers");
        foreach (int layer in experts.DenseLayers)
        {
            json.WriteNumberValue(layer);
        }

        json.WriteEndArray();
        if (spec.Windows.Max() > 0)
        {
            json.WriteBoolean("use_sliding_window", true);
            WindowConfig.Write(json, spec);
        }
    }
}
