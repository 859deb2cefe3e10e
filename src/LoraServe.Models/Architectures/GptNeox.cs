using LoraServe.Adapters.Edits;
using LoraServe.Models.Config;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Architectures;

/// <summary>GPT-NeoX and Pythia: attention and MLP beside each other, LayerNorm, a part of each head turned, query, key and value of each head in one map.</summary>
internal static class GptNeox
{
    private static readonly SiteRole[] s_linears = [SiteRole.QueryKeyValue, SiteRole.Output, SiteRole.Up, SiteRole.Down];
    private static readonly ConfigForm s_form = new()
    {
        Architecture = "gpt_neox",
        Epsilon = "layer_norm_eps",
        DefaultEpsilon = 1e-5,
        DefaultActivation = Activation.Gelu,
        Theta = "rotary_emb_base",
        RotaryShare = "rotary_pct",
        DefaultRotaryShare = 0.25,
    };

    public static Architecture Architecture { get; } = new()
    {
        Name = s_form.Architecture,
        ClassName = "GPTNeoXForCausalLM",
        FromHuggingFace = config => WithLayers(HuggingFaceConfig.Read(config, s_form)) with
        {
            Biases = [.. HuggingFaceConfig.Biases(config, "attention_bias", otherwise: true, SiteRole.QueryKeyValue, SiteRole.Output), SiteRole.Up, SiteRole.Down],
            AddsInParallel = config.Bool("use_parallel_residual", otherwise: true),
        },
        ToHuggingFace = (json, spec, model) =>
        {
            HuggingFaceConfig.Write(json, spec, s_form, model);
            HuggingFaceConfig.WriteBiases(json, spec, "attention_bias", model, SiteRole.QueryKeyValue, SiteRole.Output);
            json.WriteBoolean("use_parallel_residual", spec.AddsInParallel);
        },
        GgufName = "gptneox",
        FromGguf = config => WithLayers(config.Read(s_form)) with
        {
            Biases = [.. s_linears],
            AddsInParallel = config.Flag("use_parallel_residual", otherwise: true),
            MlpActivation = Activation.Gelu,
        },
        HuggingFaceNames = new()
        {
            Layers = "gpt_neox.layers.",
            Linears = new()
            {
                [SiteRole.QueryKeyValue] = "attention.query_key_value",
                [SiteRole.Output] = "attention.dense",
                [SiteRole.Up] = "mlp.dense_h_to_4h",
                [SiteRole.Down] = "mlp.dense_4h_to_h",
            },
            Norms = new() { [NormRole.Attention] = "input_layernorm", [NormRole.Mlp] = "post_attention_layernorm" },
            FinalNorm = "gpt_neox.final_layer_norm",
            Head = "embed_out",
            Table = "gpt_neox.embed_in",
        },
    };

    private static TransformerSpec WithLayers(TransformerSpec spec) =>
        spec with { Linears = [.. s_linears], CentresNorms = true, FusesByHead = true, KeyValueHeads = spec.QueryHeads };
}
