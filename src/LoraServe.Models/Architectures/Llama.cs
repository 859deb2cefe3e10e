using System.Collections.Immutable;
using System.Text.Json;
using LoraServe.Adapters.Edits;
using LoraServe.Models.Config;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Architectures;

/// <summary>Llama 1 to 3 and its many relatives.</summary>
internal static class Llama
{
    private static readonly ConfigForm s_form = new() { Architecture = "llama" };
    private static readonly SiteRole[] s_attention = [SiteRole.Query, SiteRole.Key, SiteRole.Value, SiteRole.Output];
    private static readonly SiteRole[] s_mlp = [SiteRole.Gate, SiteRole.Up, SiteRole.Down];

    public static Architecture Architecture { get; } = new()
    {
        Name = s_form.Architecture,
        ClassName = "LlamaForCausalLM",
        FromHuggingFace = config => HuggingFaceConfig.Read(config, s_form) with { Biases = ReadBiases(config) },
        ToHuggingFace = (json, spec, model) =>
        {
            HuggingFaceConfig.Write(json, spec, s_form, model);
            WriteBiases(json, spec, model);
        },
        FromGguf = config => config.Read(s_form),
    };

    /// <summary>The biases that relatives have by the same fields.</summary>
    public static ImmutableArray<SiteRole> ReadBiases(JsonFields config) =>
        [.. HuggingFaceConfig.Biases(config, "attention_bias", otherwise: false, s_attention), .. HuggingFaceConfig.Biases(config, "mlp_bias", otherwise: false, s_mlp)];

    /// <summary>Writes what <see cref="ReadBiases"/> reads.</summary>
    public static void WriteBiases(Utf8JsonWriter json, TransformerSpec spec, string model)
    {
        HuggingFaceConfig.WriteBiases(json, spec, "attention_bias", model, s_attention);
        HuggingFaceConfig.WriteBiases(json, spec, "mlp_bias", model, s_mlp);
    }
}
