using System.Collections.Immutable;
using LoraServe.Adapters.Edits;
using LoraServe.Models.Config;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Architectures;

/// <summary>Qwen3: each head of queries and keys is normed; no biases unless they are asked for.</summary>
internal static class Qwen3
{
    private static readonly ConfigForm s_form = new() { Architecture = "qwen3", DefaultHeadSize = 128 };

    /// <summary>Norms of a layer that norms each head of queries and keys.</summary>
    public static ImmutableArray<NormRole> Norms { get; } = [NormRole.Attention, NormRole.Mlp, NormRole.Query, NormRole.Key];

    public static Architecture Architecture { get; } = new()
    {
        Name = s_form.Architecture,
        ClassName = "Qwen3ForCausalLM",
        FromHuggingFace = config =>
        {
            TransformerSpec spec = HuggingFaceConfig.Read(config, s_form);
            return spec with { Biases = Llama.ReadBiases(config), Windows = Qwen2.ReadWindows(config, spec.LayerCount), LayerNorms = Norms };
        },
        ToHuggingFace = (json, spec, model) =>
        {
            HuggingFaceConfig.Write(json, spec, s_form, model);
            Llama.WriteBiases(json, spec, model);
            Qwen2.WriteWindows(json, spec);
        },
        FromGguf = config => config.Read(s_form) with { LayerNorms = Norms },
    };
}
