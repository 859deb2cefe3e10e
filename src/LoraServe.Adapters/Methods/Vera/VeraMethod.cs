using LoraServe.Adapters.Methods.Description;

namespace LoraServe.Adapters.Methods.Vera;

/// <summary>VeRA (Kopiczko et al. 2024, arXiv:2310.11454), and PVeRA (Fillioux et al. 2025, arXiv:2512.07703) at its mean.</summary>
internal static class VeraMethod
{
    /// <summary>The method.</summary>
    public static Method Vera { get; } = new()
    {
        Type = "VERA",
        Read = (fields, tensors, model) => VeraReader.Read(VeraConfig.Read(fields), fields, tensors, model),
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

    /// <summary>PVeRA, which is only served: its training draws noise for each token, which no edit is.</summary>
    public static Method Pvera { get; } = new()
    {
        Type = "PVERA",
        Read = (fields, tensors, model) => VeraReader.Read(VeraConfig.ReadProbabilistic(fields), fields, tensors, model),
    };
}
