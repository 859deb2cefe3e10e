using LoraServe.Adapters.Methods.Description;

namespace LoraServe.Adapters.Methods.Glora;

/// <summary>GLoRA (Chavan et al. 2023, arXiv:2306.07967).</summary>
internal static class GloraMethod
{
    /// <summary>The method.</summary>
    public static Method Glora { get; } = new()
    {
        Type = "GLORA",
        Read = GloraReader.Read,
        Train = (config, model, options) => new TrainableGlora(config, model, options),
        Variants =
        [
            new()
            {
                Name = "glora",
                Kind = MethodKind.OtherUpdate,
                Description = "low-rank factors and summands of each weight, and of biases",
                Paper = "2306.07967",
                LearningRate = 1e-3,
                Rank = 8,
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
