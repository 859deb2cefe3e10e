using LoraServe.Adapters.Edits;
using LoraServe.Models.Config;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Architectures;

/// <summary>Gemma 3, text alone: Gemma 2 without bounds; each head of queries and keys is normed; layers with a window have a rope of their own.</summary>
internal static class Gemma3
{
    private const int LayersOf27B = 62;
    private const int DefaultPattern = 6;
    private const double DefaultLocalTheta = 10_000;
    private static readonly ConfigForm s_form = Gemma.FormOf("gemma3_text") with { Activation = "hidden_activation", DefaultTheta = 1e6 };
    private static readonly NormRole[] s_norms = [.. Gemma2.Norms, NormRole.Query, NormRole.Key];

    public static Architecture Architecture { get; } = new()
    {
        Name = s_form.Architecture,
        ClassName = "Gemma3ForCausalLM",
        FromHuggingFace = ReadConfig,
        ToHuggingFace = (json, spec, model) =>
        {
            Gemma2.WriteScales(json, spec, s_form, model);
            json.WriteNumber("rope_local_base_freq", spec.WindowRope?.Theta ?? DefaultLocalTheta);
            WindowConfig.WriteTypes(json, spec);
        },
        GgufName = "gemma3",
        FromGguf = config =>
        {
            TransformerSpec spec = Gemma.ReadGguf(config, s_form);
            return spec with
            {
                LayerNorms = [.. s_norms],
                LogitCap = config.Float("final_logit_softcapping") ?? 0,
                QueryScale = Gemma2.ScaleInGguf(spec, LayersOf27B),
                WindowRope = new RopeSpec { Theta = config.Float("rope.local.freq_base") ?? DefaultLocalTheta },
                Windows = WindowConfig.Where(spec.LayerCount, config.Window(), layer => (layer + 1) % DefaultPattern != 0),
            };
        },
        HuggingFaceNames = Gemma2.NamesWithFourNorms,
        GgufGainsAreWhole = true,
    };

    private static TransformerSpec ReadConfig(JsonFields config)
    {
        TransformerSpec spec = Gemma2.ReadScales(config, s_form);
        int window = WindowConfig.Find(config, otherwise: 4096);
        long pattern = config.FindInteger("sliding_window_pattern", 1, int.MaxValue) ?? config.FindInteger("_sliding_window_pattern", 1, int.MaxValue) ?? DefaultPattern;
        long positions = config.Integer(s_form.Positions, 1, long.MaxValue);

        // transformers 5 says a rope for each kind of layer, 4 that of full attention, and the other's base.
        JsonFields? byKind = config.Object("rope_parameters") is { } both && both.IsObject("full_attention") ? both : null;
        RopeSpec full = byKind is null ? spec.Rope : RopeConfig.Read(config, byKind.Object("full_attention"), s_form, positions, spec.HeadSize);
        RopeSpec local = byKind?.Object("sliding_attention") is { } own
            ? RopeConfig.Read(config, own, s_form with { Theta = "rope_local_base_freq", DefaultTheta = DefaultLocalTheta }, positions, spec.HeadSize)
            : new RopeSpec { Theta = config.FindNumber("rope_local_base_freq", 1) ?? DefaultLocalTheta };
        return spec with
        {
            LayerNorms = [.. s_norms],
            Rope = full,
            WindowRope = local.Scaling == RopeScaling.None ? local with { OriginalContext = 0 } : local,
            ContextLength = SpecLimits.Context(positions, full),
            Windows = WindowConfig.OfSome(config, spec.LayerCount, window, layer => (layer + 1) % pattern != 0),
        };
    }
}
