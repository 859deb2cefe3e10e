using LoraServe.Adapters.Methods.Description;

namespace LoraServe.Adapters.Methods.Loha;

/// <summary>LoHa (Hyeon-Woo et al. 2022, arXiv:2108.06098).</summary>
internal static class LohaMethod
{
    /// <summary>The method.</summary>
    public static Method Loha { get; } = new()
    {
        Type = "LOHA",
        Read = LohaReader.Read,
        Train = (config, model, options) => new TrainableLoha(config, model, options),
        Variants =
        [
            new()
            {
                Name = "loha",
                Kind = MethodKind.OtherUpdate,
                Description = "elementwise products of two low-rank updates, of the square of their rank",
                Paper = "2108.06098",
                LearningRate = 5e-4,
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
