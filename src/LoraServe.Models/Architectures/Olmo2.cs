using LoraServe.Adapters.Edits;
using LoraServe.Models.Config;

namespace LoraServe.Models.Architectures;

/// <summary>OLMo 2: norms after attention and MLP instead of before; queries and keys are normed over all heads together.</summary>
internal static class Olmo2
{
    private static readonly ConfigForm s_form = new() { Architecture = "olmo2", DefaultEpsilon = 1e-5 };
    private static readonly NormRole[] s_norms = [NormRole.Query, NormRole.Key, NormRole.AfterAttention, NormRole.AfterMlp];

    public static Architecture Architecture { get; } = new()
    {
        Name = s_form.Architecture,
        ClassName = "Olmo2ForCausalLM",
        FromHuggingFace = config => HuggingFaceConfig.Read(config, s_form) with { Biases = Llama.ReadBiases(config), LayerNorms = [.. s_norms], NormsHeadsTogether = true },
        ToHuggingFace = (json, spec, model) =>
        {
            HuggingFaceConfig.Write(json, spec, s_form, model);
            Llama.WriteBiases(json, spec, model);
        },
        FromGguf = config =>
        {
            config.RequireNoWindow();
            return config.Read(s_form) with { LayerNorms = [.. s_norms], NormsHeadsTogether = true };
        },
        HuggingFaceNames = ParameterNames.HuggingFace with
        {
            Norms = new(ParameterNames.HuggingFace.Norms)
            {
                [NormRole.AfterAttention] = "post_attention_layernorm",
                [NormRole.AfterMlp] = "post_feedforward_layernorm",
            },
        },
    };
}
