using LoraServe.Adapters.Methods.Description;

namespace LoraServe.Adapters.Methods.Lokr;

/// <summary>LoKr (Yeh et al. 2024, arXiv:2309.14859).</summary>
internal static class LokrMethod
{
    /// <summary>The method.</summary>
    public static Method Lokr { get; } = new()
    {
        Type = "LOKR",
        Read = LokrReader.Read,
        Train = (config, model, options) => new TrainableLokr(config, model, options),
        Variants =
        [
            new()
            {
                Name = "lokr",
                Kind = MethodKind.OtherUpdate,
                Description = "Kronecker products of a small matrix and a low-rank one",
                Paper = "2309.14859",
                LearningRate = 1e-3,
                Rank = 8,
                Targets = ["all-linear"],
                HasRankPattern = true,
                Configuration = settings => settings.Config(new()
                {
                    ["alpha"] = settings.Alpha,
                    ["r"] = settings.Rank,
                    ["target_modules"] = settings.TargetList(),
                }),
            },
        ],
    };
}
