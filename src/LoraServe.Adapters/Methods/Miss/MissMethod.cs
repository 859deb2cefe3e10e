using LoraServe.Adapters.Methods.Description;

namespace LoraServe.Adapters.Methods.Miss;

/// <summary>MiSS (Kang and Yin 2024, arXiv:2409.15371).</summary>
internal static class MissMethod
{
    /// <summary>The method.</summary>
    public static Method Miss { get; } = new()
    {
        Type = "MISS",
        Read = MissReader.Read,
        Train = (config, model, options) => new TrainableMiss(config, model, options),
        Variants =
        [
            new()
            {
                Name = "miss",
                Kind = MethodKind.OtherUpdate,
                Description = "a block that sums of inputs go through, begun at zero",
                Paper = "2409.15371",
                LearningRate = 2e-4,
                Rank = 32,
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
