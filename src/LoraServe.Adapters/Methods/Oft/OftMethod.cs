using LoraServe.Adapters.Methods.Description;

namespace LoraServe.Adapters.Methods.Oft;

/// <summary>OFT (Qiu et al. 2023, arXiv:2306.07280).</summary>
internal static class OftMethod
{
    /// <summary>The method.</summary>
    public static Method Oft { get; } = new()
    {
        Type = "OFT",
        Read = OftReader.Read,
        Train = (config, model, options) => new TrainableOft(config, model, options),
        Variants =
        [
            new()
            {
                Name = "oft",
                Kind = MethodKind.Rotation,
                Description = "rotations of inputs in blocks as wide as the rank",
                Paper = "2306.07280",
                LearningRate = 5e-4,
                Rank = 32,
                Targets = ["all-linear"],
                Configuration = settings => settings.Config(new()
                {
                    ["oft_block_size"] = settings.Rank,
                    ["target_modules"] = settings.TargetList(),
                }),
            },
        ],
    };
}
