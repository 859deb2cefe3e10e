using LoraServe.Adapters.Methods.Description;

namespace LoraServe.Adapters.Methods.Boft;

/// <summary>BOFT (Liu et al. 2024, arXiv:2311.06243).</summary>
internal static class BoftMethod
{
    /// <summary>The method.</summary>
    public static Method Boft { get; } = new()
    {
        Type = "BOFT",
        Read = BoftReader.Read,
        Train = (config, model, options) => new TrainableBoft(config, model, options),
        Variants =
        [
            new()
            {
                Name = "boft",
                Kind = MethodKind.Rotation,
                Description = "rotations of inputs, which may be a butterfly of blocks as wide as the rank, and factors of outputs",
                Paper = "2311.06243",
                LearningRate = 1e-3,
                Rank = 8,
                Targets = ["all-linear"],
                Configuration = settings => settings.Config(new()
                {
                    ["boft_block_size"] = settings.Rank,
                    ["target_modules"] = settings.TargetList(),
                }),
            },
        ],
    };
}
