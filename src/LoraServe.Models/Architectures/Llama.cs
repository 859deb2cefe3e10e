using System.Text.Json;
using LoraServe.Adapters.Edits;
using LoraServe.Models.Config;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Architectures;

/// <summary>Llama 1 to 3 and its many relatives.</summary>
internal static class Llama
{
    private const string Name = "llama";
    private static readonly SiteRole[] s_attention = [SiteRole.Query, SiteRole.Key, SiteRole.Value, SiteRole.Output];
    private static readonly SiteRole[] s_mlp = [SiteRole.Gate, SiteRole.Up, SiteRole.Down];

    public static Architecture Architecture { get; } = new()
    {
        Name = Name,
        ClassName = "LlamaForCausalLM",
        FromHuggingFace = ReadConfig,
        ToHuggingFace = WriteConfig,
        FromGguf = file => new GgufConfig(file, Name).Read(),
        InterleavedInGguf = true,
    };

    private static TransformerSpec ReadConfig(JsonFields config)
    {
        SiteRole[] attention = config.Bool("attention_bias", otherwise: false) ? s_attention : [];
        SiteRole[] mlp = config.Bool("mlp_bias", otherwise: false) ? s_mlp : [];
        return HuggingFaceConfig.Read(config, Name) with { Biases = [.. attention, .. mlp] };
    }

    private static void WriteConfig(Utf8JsonWriter json, TransformerSpec spec, string model)
    {
        HuggingFaceConfig.Write(json, spec, model);
        json.WriteBoolean("attention_bias", HasAll(s_attention));
        json.WriteBoolean("mlp_bias", HasAll(s_mlp));

        bool HasAll(SiteRole[] roles)
        {
            SiteRole[] biased = [.. roles.Where(role => spec.Biases.Contains(role))];
            return biased.Length == 0 || biased.Length == roles.Length
                ? biased.Length > 0
                : throw HuggingFaceConfig.Unsayable(model, $"biases at {string.Join(", ", biased)} without {string.Join(", ", roles.Except(biased))}");
        }
    }
}
