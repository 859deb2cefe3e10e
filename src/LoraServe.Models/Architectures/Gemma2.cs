using System.Collections.Immutable;
using System.Text.Json;
using LoraServe.Adapters.Edits;
using LoraServe.Models.Config;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Architectures;

/// <summary>Gemma 2: norms also after attention and MLP, bounds of scores and logits, every other layer in a sliding window.</summary>
internal static class Gemma2
{
    private const int LayersOf27B = 46;
    private const double DefaultScoreCap = 50;
    private const double DefaultLogitCap = 30;
    private static readonly ConfigForm s_form = Gemma.FormOf("gemma2") with { Activation = "hidden_activation" };

    /// <summary>Norms of a layer before and after its sublayers.</summary>
    public static ImmutableArray<NormRole> Norms { get; } = [NormRole.Attention, NormRole.AfterAttention, NormRole.Mlp, NormRole.AfterMlp];

    public static Architecture Architecture { get; } = new()
    {
        Name = s_form.Architecture,
        ClassName = "Gemma2ForCausalLM",
        FromHuggingFace = config =>
        {
            TransformerSpec spec = ReadScales(config, s_form, DefaultScoreCap, DefaultLogitCap);
            int window = WindowConfig.Find(config, otherwise: 4096);
            return spec with { LayerNorms = Norms, Windows = WindowConfig.OfSome(config, spec.LayerCount, window, Slides) };
        },
        ToHuggingFace = (json, spec, model) =>
        {
            WriteScales(json, spec, s_form, model);
            WindowConfig.WriteTypes(json, spec);
        },
        FromGguf = config =>
        {
            TransformerSpec spec = Gemma.ReadGguf(config, s_form);
            return spec with
            {
                LayerNorms = Norms,
                ScoreCap = config.Float("attn_logit_softcapping") ?? (float)DefaultScoreCap,
                LogitCap = config.Float("final_logit_softcapping") ?? (float)DefaultLogitCap,
                QueryScale = ScaleInGguf(spec, LayersOf27B),
                Windows = WindowConfig.Where(spec.LayerCount, config.Window(), Slides),
            };
        },
        HuggingFaceNames = NamesWithFourNorms,
        GgufGainsAreWhole = true,
    };

    /// <summary>Names of a layer's four norms.</summary>
    public static ParameterNames NamesWithFourNorms => ParameterNames.HuggingFace with
    {
        Norms = new(ParameterNames.HuggingFace.Norms)
        {
            [NormRole.AfterAttention] = "post_attention_layernorm",
            [NormRole.Mlp] = "pre_feedforward_layernorm",
            [NormRole.AfterMlp] = "post_feedforward_layernorm",
        },
    };

    /// <summary>Scale of queries, bounds and biases.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="form">The family's names.</param>
    /// <param name="scoreCap">Bound of scores where nothing is said, not even that there is none.</param>
    /// <param name="logitCap">Bound of logits, likewise.</param>
    /// <exception cref="ModelFormatException">A field is wrong, or positions see what comes after them.</exception>
    public static TransformerSpec ReadScales(JsonFields config, ConfigForm form, double scoreCap = 0, double logitCap = 0)
    {
        const double Default = 256;
        const string Bidirectional = "use_bidirectional_attention";
        if (config.IsTrue(Bidirectional))
        {
            throw config.Wrong(Bidirectional, "false: a position that sees what comes after it is not supported");
        }

        return Gemma.Read(config, form) with
        {
            Biases = Llama.ReadBiases(config),
            QueryScale = (float)(1 / Math.Sqrt(config.FindNumber("query_pre_attn_scalar", double.Epsilon) ?? Default)),
            ScoreCap = Cap("attn_logit_softcapping", scoreCap),
            LogitCap = Cap("final_logit_softcapping", logitCap),
        };

        float Cap(string field, double otherwise) => (float)(config.FindNumber(field, 0) ?? (config.Mentions(field) ? 0 : otherwise));
    }

    /// <summary>Writes what <see cref="ReadScales"/> reads, and the window.</summary>
    public static void WriteScales(Utf8JsonWriter json, TransformerSpec spec, ConfigForm form, string model)
    {
        HuggingFaceConfig.Write(json, spec, form, model);
        Llama.WriteBiases(json, spec, model);
        json.WriteNumber("query_pre_attn_scalar", 1 / ((double)spec.AttentionScale * spec.AttentionScale));
        WriteCap("attn_logit_softcapping", spec.ScoreCap);
        WriteCap("final_logit_softcapping", spec.LogitCap);
        WindowConfig.Write(json, spec);

        void WriteCap(string field, float cap)
        {
            if (cap > 0)
            {
                json.WriteNumber(field, cap);
            }
            else
            {
                json.WriteNull(field);
            }
        }
    }

    /// <summary>GGUF files do not say the scale of queries: llama.cpp has that of the largest model by its number of layers.</summary>
    public static float? ScaleInGguf(TransformerSpec spec, int layersOfLargest) =>
        spec.LayerCount == layersOfLargest ? 1 / MathF.Sqrt((float)spec.Width / spec.QueryHeads) : null;

    private static bool Slides(int layer) => layer % 2 == 0;
}
