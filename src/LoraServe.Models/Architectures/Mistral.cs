using LoraServe.Models.Config;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Architectures;

/// <summary>Mistral: Llama whose layers may all attend in a sliding window. GGUF files call it llama, without the window.</summary>
internal static class Mistral
{
    private static readonly ConfigForm s_form = new() { Architecture = "mistral" };

    public static Architecture Architecture { get; } = new()
    {
        Name = s_form.Architecture,
        ClassName = "MistralForCausalLM",
        FromHuggingFace = config =>
        {
            TransformerSpec spec = HuggingFaceConfig.Read(config, s_form);
            return spec with { Windows = WindowConfig.OfAll(config, spec.LayerCount) };
        },
        GgufName = "llama",
        ToHuggingFace = (json, spec, model) =>
        {
            HuggingFaceConfig.Write(json, spec, s_form, model);
            WindowConfig.Write(json, spec);
        },
    };
}
