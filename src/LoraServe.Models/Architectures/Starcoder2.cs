using LoraServe.Adapters.Edits;
using LoraServe.Models.Config;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Architectures;

/// <summary>StarCoder 2: LayerNorm, biases, an MLP without a gate, all layers may attend in a sliding window.</summary>
internal static class Starcoder2
{
    private static readonly SiteRole[] s_linears = [SiteRole.Query, SiteRole.Key, SiteRole.Value, SiteRole.Output, SiteRole.Up, SiteRole.Down];
    private static readonly ConfigForm s_form = new()
    {
        Architecture = "starcoder2",
        Epsilon = "norm_epsilon",
        DefaultEpsilon = 1e-5,
        DefaultActivation = Activation.TanhGelu,
        TiesHead = true,
    };

    public static Architecture Architecture { get; } = new()
    {
        Name = s_form.Architecture,
        ClassName = "Starcoder2ForCausalLM",
        FromHuggingFace = config =>
        {
            TransformerSpec spec = WithLayers(HuggingFaceConfig.Read(config, s_form));
            return spec with { Biases = [.. HuggingFaceConfig.Biases(config, "use_bias", otherwise: true, s_linears)], Windows = WindowConfig.OfAll(config, spec.LayerCount) };
        },
        ToHuggingFace = (json, spec, model) =>
        {
            HuggingFaceConfig.Write(json, spec, s_form, model);
            HuggingFaceConfig.WriteBiases(json, spec, "use_bias", model, s_linears);
            WindowConfig.Write(json, spec);
        },
        FromGguf = config => WithLayers(config.Read(s_form)) with { MlpActivation = Activation.TanhGelu },
        HuggingFaceNames = ParameterNames.HuggingFace with
        {
            Linears = new(ParameterNames.HuggingFace.Linears) { [SiteRole.Up] = "mlp.c_fc", [SiteRole.Down] = "mlp.c_proj" },
        },
    };

    private static TransformerSpec WithLayers(TransformerSpec spec) => spec with { Linears = [.. s_linears], CentresNorms = true };
}
