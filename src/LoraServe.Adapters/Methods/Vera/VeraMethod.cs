using LoraServe.Adapters.Methods.Description;

namespace LoraServe.Adapters.Methods.Vera;

/// <summary>VeRA (Kopiczko et al. 2024, arXiv:2310.11454).</summary>
internal static class VeraMethod
{
    /// <summary>The method.</summary>
    public static Method Vera { get; } = new()
    {
        Type = "VERA",
        Read = VeraReader.Read,
        Train = (config, model, _) => new TrainableVera(config, model),
        Variants =
        [
            new()
            {
                Name = "vera",
                Kind = MethodKind.OtherUpdate,
                Description = "two vectors a module that scale random projections which all share",
                Paper = "2310.11454",
                LearningRate = 1e-2,
                Rank = 256,
                Targets = ["all-linear"],
                Configuration = settings => settings.Config(new()
                {
                    ["projection_prng_key"] = settings.Given.Seed,
                    ["r"] = settings.Rank,
                    ["target_modules"] = settings.TargetList(),
                    ["vera_dropout"] = 0.0,
                }),
            },
        ],
    };
}
