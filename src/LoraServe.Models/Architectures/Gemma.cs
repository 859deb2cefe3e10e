using LoraServe.Adapters.Edits;
using LoraServe.Models.Config;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Architectures;

/// <summary>Gemma: gains of 1 + w, tokens' rows times the root of their width, an MLP gated by tanh-GELU, a tied head.</summary>
internal static class Gemma
{
    private static readonly ConfigForm s_form = FormOf("gemma");

    public static Architecture Architecture { get; } = new()
    {
        Name = s_form.Architecture,
        ClassName = "GemmaForCausalLM",
        FromHuggingFace = config => Read(config, s_form) with { Biases = Llama.ReadBiases(config) },
        ToHuggingFace = (json, spec, model) =>
        {
            HuggingFaceConfig.Write(json, spec, s_form, model);
            Llama.WriteBiases(json, spec, model);
        },
        FromGguf = config => ReadGguf(config, s_form),
        GgufGainsAreWhole = true,
    };

    /// <summary>What the fields of all three Gemmas are called.</summary>
    public static ConfigForm FormOf(string architecture) => new()
    {
        Architecture = architecture,
        DefaultHeadSize = 256,
        DefaultActivation = Activation.TanhGelu,
        TiesHead = true,
    };

    /// <summary>What all three have in common.</summary>
    public static TransformerSpec Read(JsonFields config, ConfigForm form)
    {
        TransformerSpec spec = HuggingFaceConfig.Read(config, form);
        return WithScales(spec) with { MlpActivation = HuggingFaceConfig.ReadActivation(config, "hidden_activation") ?? spec.MlpActivation };
    }

    /// <summary>The same of a GGUF file.</summary>
    public static TransformerSpec ReadGguf(GgufConfig config, ConfigForm form) => WithScales(config.Read(form)) with { MlpActivation = Activation.TanhGelu };

    private static TransformerSpec WithScales(TransformerSpec spec) => spec with { GainOffset = 1, EmbeddingScale = MathF.Sqrt(spec.Width) };
}
