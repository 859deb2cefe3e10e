using LoraServe.Adapters.Methods.Description;

namespace LoraServe.Adapters.Methods.Delora;

/// <summary>DeLoRA (Bini et al. 2025, arXiv:2503.18225).</summary>
internal static class DeloraMethod
{
    /// <summary>The method.</summary>
    public static Method Delora { get; } = new()
    {
        Type = "DELORA",
        Read = DeloraReader.Read,
        Train = (config, model, options) => new TrainableDelora(config, model, options),
        Variants =
        [
            new()
            {
                Name = "delora",
                Kind = MethodKind.LowRank,
                Description = "low-rank updates of normalised terms under a bound that is trained",
                Paper = "2503.18225",
                LearningRate = 1e-3,
                Rank = 8,
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
