using LoraServe.Adapters.Edits;
using LoraServe.Models.Config;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Architectures;

/// <summary>Mixtral: Mistral with experts in every layer. GGUF files call it llama, with experts.</summary>
internal static class Mixtral
{
    private static readonly ConfigForm s_form = new() { Architecture = "mixtral", DefaultEpsilon = 1e-5, DefaultTheta = 1e6 };

    public static Architecture Architecture { get; } = new()
    {
        Name = s_form.Architecture,
        HasExperts = true,
        ClassName = "MixtralForCausalLM",
        FromHuggingFace = config =>
        {
            TransformerSpec spec = HuggingFaceConfig.Read(config, s_form);
            return spec with
            {
                Windows = WindowConfig.OfAll(config, spec.LayerCount),
                Experts = ExpertsConfig.Read(config, "num_local_experts", spec.FeedForwardWidth, spec.LayerCount, perRow: 2),
            };
        },
        ToHuggingFace = (json, spec, model) =>
        {
            HuggingFaceConfig.Write(json, spec, s_form, model);
            WindowConfig.Write(json, spec);
            ExpertsConfig.Write(json, spec.Experts!, "num_local_experts");
        },
        GgufName = "llama",
        FromGguf = config =>
        {
            TransformerSpec spec = config.Read(s_form);
            return spec with { Experts = config.Experts(spec.FeedForwardWidth) };
        },
        HuggingFaceNames = ParameterNames.HuggingFace with
        {
            Linears = new(ParameterNames.HuggingFace.Linears)
            {
                [SiteRole.Router] = "block_sparse_moe.gate",
                [SiteRole.ExpertGate] = "block_sparse_moe.experts.*.w1",
                [SiteRole.ExpertUp] = "block_sparse_moe.experts.*.w3",
                [SiteRole.ExpertDown] = "block_sparse_moe.experts.*.w2",
            },
        },
    };
}
