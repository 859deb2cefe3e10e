using System.Text.Json;
using LoraServe.Models.Config;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Architectures;

/// <summary>Granite 3: Llama with factors of tokens' rows, of scores, of what is added to the stream, and of logits.</summary>
internal static class Granite
{
    private static readonly ConfigForm s_form = new() { Architecture = "granite" };

    public static Architecture Architecture { get; } = new()
    {
        Name = s_form.Architecture,
        ClassName = "GraniteForCausalLM",
        FromHuggingFace = config => HuggingFaceConfig.Read(config, s_form) with
        {
            Biases = Llama.ReadBiases(config),
            EmbeddingScale = Factor(config, "embedding_multiplier"),
            ResidualScale = Factor(config, "residual_multiplier"),
            QueryScale = Factor(config, "attention_multiplier"),
            LogitScale = 1 / Factor(config, "logits_scaling"),
        },
        ToHuggingFace = WriteConfig,
        FromGguf = config => config.Read(s_form) with
        {
            EmbeddingScale = config.Float("embedding_scale") ?? 1,
            ResidualScale = config.Float("residual_scale") ?? 1,
            QueryScale = config.Float("attention.scale"),
            LogitScale = 1 / (config.Float("logit_scale") ?? 1),
        },
    };

    private static float Factor(JsonFields config, string field) => (float)(config.FindNumber(field, float.Epsilon) ?? 1);

    private static void WriteConfig(Utf8JsonWriter json, TransformerSpec spec, string model)
    {
        HuggingFaceConfig.Write(json, spec, s_form, model);
        Llama.WriteBiases(json, spec, model);
        json.WriteNumber("embedding_multiplier", spec.EmbeddingScale);
        json.WriteNumber("residual_multiplier", spec.ResidualScale);
        json.WriteNumber("attention_multiplier", spec.AttentionScale);
        json.WriteNumber("logits_scaling", 1 / spec.LogitScale);
    }
}
