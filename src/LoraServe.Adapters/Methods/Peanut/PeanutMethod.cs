using LoraServe.Adapters.Methods.Description;

namespace LoraServe.Adapters.Methods.Peanut;

/// <summary>PEANuT (Zhong et al. 2024, arXiv:2410.01870).</summary>
internal static class PeanutMethod
{
    /// <summary>The method.</summary>
    public static Method Peanut { get; } = new()
    {
        Type = "PEANUT",
        Read = PeanutReader.Read,
        Train = (config, model, options) => new TrainablePeanut(config, model, options),
        Variants =
        [
            new()
            {
                Name = "peanut",
                Kind = MethodKind.OtherUpdate,
                Description = "a small network that makes the update of the weight itself",
                Paper = "2410.01870",
                LearningRate = 1e-3,
                Rank = 32,
                Targets = ["q_proj", "v_proj"],
                Configuration = settings => settings.Config(new()
                {
                    ["r"] = settings.Rank,
                    ["target_modules"] = settings.TargetList(),
                }),
            },
        ],
    };
}
