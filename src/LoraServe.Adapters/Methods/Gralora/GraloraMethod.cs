using LoraServe.Adapters.Methods.Description;

namespace LoraServe.Adapters.Methods.Gralora;

/// <summary>GraLoRA (Jung et al. 2025, arXiv:2505.20355).</summary>
internal static class GraloraMethod
{
    /// <summary>The method.</summary>
    public static Method Gralora { get; } = new()
    {
        Type = "GRALORA",
        Read = GraloraReader.Read,
        Train = (config, model, options) => new TrainableGralora(config, model, options),
        Variants =
        [
            new()
            {
                Name = "gralora",
                Kind = MethodKind.LowRank,
                Description = "a low-rank update of each block of the weight, which multiplies the rank",
                Paper = "2505.20355",
                LearningRate = 2e-4,
                Rank = 32,
                Targets = ["all-linear"],
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
