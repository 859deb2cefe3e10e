using LoraServe.Adapters.Edits;
using LoraServe.Models.Config;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Architectures;

/// <summary>Llama 1 to 3 and its many relatives.</summary>
internal static class Llama
{
    private const string Name = "llama";

    public static Architecture Architecture { get; } = new()
    {
        Name = Name,
        ClassName = "LlamaForCausalLM",
        FromHuggingFace = ReadConfig,
        FromGguf = file => new GgufConfig(file, Name).Read(),
        InterleavedInGguf = true,
    };

    private static TransformerSpec ReadConfig(JsonFields config)
    {
        SiteRole[] attention = config.Bool("attention_bias", otherwise: false) ? [SiteRole.Query, SiteRole.Key, SiteRole.Value, SiteRole.Output] : [];
        SiteRole[] mlp = config.Bool("mlp_bias", otherwise: false) ? [SiteRole.Gate, SiteRole.Up, SiteRole.Down] : [];
        return HuggingFaceConfig.Read(config, Name) with { Biases = [.. attention, .. mlp] };
    }
}
