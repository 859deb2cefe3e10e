using LoraServe.Adapters.Methods.Description;

namespace LoraServe.Adapters.Methods.UniLora;

/// <summary>Uni-LoRA (Li et al. 2025, arXiv:2506.00799).</summary>
internal static class UniLoraMethod
{
    /// <summary>The method.</summary>
    public static Method UniLora { get; } = new()
    {
        Type = "UNILORA",
        Read = UniLoraReader.Read,
        Train = (config, model, options) => new TrainableUniLora(config, model, options),
        Variants =
        [
            new()
            {
                Name = "unilora",
                OtherNames = ["uni-lora"],
                Kind = MethodKind.LowRank,
                Description = "one short vector of which all modules' LoRA factors are made",
                Paper = "2506.00799",
                LearningRate = 2e-2,
                Rank = 4,
                Targets = ["q_proj", "v_proj"],
                Configuration = settings => settings.Config(new()
                {
                    ["proj_seed"] = settings.Given.Seed,
                    ["r"] = settings.Rank,
                    ["target_modules"] = settings.TargetList(),
                }),
            },
        ],
    };
}
