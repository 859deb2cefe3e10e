using LoraServe.Adapters.Methods.Description;

namespace LoraServe.Adapters.Methods.Deft;

/// <summary>DEFT, decompositional fine-tuning, of which PaRa (Chen et al. 2024, arXiv:2405.20750) is the part that takes away.</summary>
internal static class DeftMethod
{
    /// <summary>The method.</summary>
    public static Method Deft { get; } = new()
    {
        Type = "DEFT",
        Read = DeftReader.Read,
        Train = (config, model, options) => new TrainableDeft(config, model, options),
        Variants =
        [
            new()
            {
                Name = "deft",
                Kind = MethodKind.LowRank,
                Description = "a few directions of outputs, whose part of the weight is replaced",
                Paper = "2405.20750",
                LearningRate = 1e-3,
                Rank = 8,
                Targets = ["all-linear"],
                Configuration = settings => settings.Config(new()
                {
                    ["r"] = settings.Rank,
                    ["target_modules"] = settings.TargetList(),
                }),
            },
        ],
    };
}
