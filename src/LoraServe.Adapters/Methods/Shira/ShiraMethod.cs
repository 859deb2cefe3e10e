using LoraServe.Adapters.Methods.Description;

namespace LoraServe.Adapters.Methods.Shira;

/// <summary>SHiRA (Bhardwaj et al. 2024, arXiv:2406.13175).</summary>
internal static class ShiraMethod
{
    /// <summary>The method.</summary>
    public static Method Shira { get; } = new()
    {
        Type = "SHIRA",
        Read = ShiraReader.Read,
        Train = (config, model, options) => new TrainableShira(config, model, options),
        Variants =
        [
            new()
            {
                Name = "shira",
                Kind = MethodKind.OtherUpdate,
                Description = "summands of a few elements of each weight, drawn at random",
                Paper = "2406.13175",
                LearningRate = 1e-3,
                Rank = 8,
                Targets = ["q_proj", "v_proj"],
                Configuration = settings => settings.Config(new()
                {
                    ["r"] = settings.Rank,
                    ["random_seed"] = settings.Given.Seed,
                    ["target_modules"] = settings.TargetList(),
                }),
            },
        ],
    };
}
