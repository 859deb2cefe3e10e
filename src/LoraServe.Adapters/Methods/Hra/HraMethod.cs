using LoraServe.Adapters.Methods.Description;

namespace LoraServe.Adapters.Methods.Hra;

/// <summary>HRA (Yuan et al. 2024, arXiv:2405.17484).</summary>
internal static class HraMethod
{
    /// <summary>The method.</summary>
    public static Method Hra { get; } = new()
    {
        Type = "HRA",
        Read = HraReader.Read,
        Train = (config, model, options) => new TrainableHra(config, model, options),
        Variants =
        [
            new()
            {
                Name = "hra",
                Kind = MethodKind.Rotation,
                Description = "reflections of inputs along as many vectors as the rank",
                Paper = "2405.17484",
                LearningRate = 5e-3,
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
