using LoraServe.Models.Config;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Architectures;

/// <summary>Mistral: Llama whose layers may all attend in a sliding window. GGUF files call it llama, without the window.</summary>
internal static class Mistral
{
    private const int DefaultWindow = 4096;
    private static readonly ConfigForm s_form = new() { Architecture = "mistral" };

    public static Architecture Architecture { get; } = new()
    {
        Name = s_form.Architecture,
        ClassName = "MistralForCausalLM",
        FromHuggingFace = config =>
        {
            TransformerSpec spec = HuggingFaceConfig.Read(config, s_form);
            return spec with { Windows = WindowConfig.OfAll(config, spec.LayerCount, config.Mentions(WindowConfig.Window) ? 0 : DefaultWindow) };
        },
        GgufName = "llama",
        ToHuggingFace = (json, spec, model) =>
        {
            HuggingFaceConfig.Write(json, spec, s_form, model);
            WindowConfig.Write(json, spec);
            if (spec.Windows.Max() == 0)
            {
                json.WriteNull(WindowConfig.Window);
            }
        },
    };
}
