using LoraServe.Adapters.Edits;
using LoraServe.Models.Config;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Architectures;

/// <summary>GPT-2: learned positions, LayerNorm, biases everywhere, query, key and value in one map, weights stored as [inputs, outputs].</summary>
internal static class Gpt2
{
    private static readonly SiteRole[] s_linears = [SiteRole.QueryKeyValue, SiteRole.Output, SiteRole.Up, SiteRole.Down];
    private static readonly ConfigForm s_form = new()
    {
        Architecture = "gpt2",
        Width = "n_embd",
        Layers = "n_layer",
        Heads = "n_head",
        FeedForward = "n_inner",
        DefaultFeedForwardFactor = 4,
        Positions = "n_positions",
        Epsilon = "layer_norm_epsilon",
        DefaultEpsilon = 1e-5,
        Activation = "activation_function",
        DefaultActivation = Activation.TanhGelu,
        TiesHead = true,
        LearnsPositions = true,
    };

    public static Architecture Architecture { get; } = new()
    {
        Name = s_form.Architecture,
        ClassName = "GPT2LMHeadModel",
        FromHuggingFace = ReadConfig,
        ToHuggingFace = (json, spec, model) =>
        {
            HuggingFaceConfig.Write(json, spec, s_form, model);
            json.WriteBoolean("scale_attn_weights", spec.QueryScale is null);
        },
        FromGguf = config => WithLayers(config.Read(s_form)) with { MlpActivation = Activation.TanhGelu },
        TransposedLinears = [.. s_linears],
        HuggingFaceNames = new()
        {
            Layers = "transformer.h.",
            Linears = new()
            {
                [SiteRole.QueryKeyValue] = "attn.c_attn",
                [SiteRole.Output] = "attn.c_proj",
                [SiteRole.Up] = "mlp.c_fc",
                [SiteRole.Down] = "mlp.c_proj",
            },
            Norms = new() { [NormRole.Attention] = "ln_1", [NormRole.Mlp] = "ln_2" },
            FinalNorm = "transformer.ln_f",
            Head = "lm_head",
            Table = "transformer.wte",
            Positions = "transformer.wpe",
        },
    };

    private static TransformerSpec ReadConfig(JsonFields config)
    {
        foreach (string field in (ReadOnlySpan<string>)["add_cross_attention", "scale_attn_by_inverse_layer_idx", "reorder_and_upcast_attn"])
        {
            if (config.Bool(field, otherwise: false))
            {
                throw config.Wrong(field, "false");
            }
        }

        return WithLayers(HuggingFaceConfig.Read(config, s_form)) with { QueryScale = config.Bool("scale_attn_weights", otherwise: true) ? null : 1 };
    }

    private static TransformerSpec WithLayers(TransformerSpec spec) => spec with { Linears = [.. s_linears], Biases = [.. s_linears], CentresNorms = true };
}
