using LoraServe.Adapters.Methods.Description;

namespace LoraServe.Adapters.Methods.Hira;

/// <summary>HiRA (Huang et al. ICLR 2025, OpenReview TwJrTz9cRS).</summary>
internal static class HiraMethod
{
    /// <summary>The method.</summary>
    public static Method Hira { get; } = new()
    {
        Type = "HIRA",
        Read = HiraReader.Read,
        Train = (config, model, options) => new TrainableHira(config, model, options),
        Variants =
        [
            new()
            {
                Name = "hira",
                Kind = MethodKind.OtherUpdate,
                Description = "the weight itself times a low-rank product, element by element",
                Paper = "TwJrTz9cRS",
                LearningRate = 1e-3,
                Rank = 32,
                Targets = ["all-linear"],
                HasRankPattern = true,
                Configuration = settings => settings.Config(new()
                {
                    ["r"] = settings.Rank,
                    ["target_modules"] = settings.TargetList(),
                }),
            },
        ],
    };
}
