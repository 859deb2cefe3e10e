using LoraServe.Adapters.Methods.Description;

namespace LoraServe.Adapters.Methods.NormTuning;

/// <summary>LN tuning (Zhao et al. 2023, arXiv:2312.11420).</summary>
internal static class NormTuningMethod
{
    /// <summary>The method.</summary>
    public static Method NormTuning { get; } = new()
    {
        Type = "LN_TUNING",
        Read = NormTuningReader.Read,
        Train = (config, model, _) => new TrainableLayerNorms(config, model),
        Variants =
        [
            new()
            {
                Name = "ln",
                OtherNames = ["ln-tuning"],
                Kind = MethodKind.Vector,
                Description = "the gains of norms",
                Paper = "2312.11420",
                LearningRate = 2e-3,
                Configuration = settings => settings.Config(new() { ["target_modules"] = VariantSettings.List(settings.TargetNorms()) }),
            },
        ],
    };
}
