using LoraServe.Adapters.Methods.Description;

namespace LoraServe.Adapters.Methods.TinyLora;

/// <summary>TinyLoRA (arXiv:2602.04118).</summary>
internal static class TinyLoraMethod
{
    /// <summary>The method.</summary>
    public static Method TinyLora { get; } = new()
    {
        Type = "TINYLORA",
        Read = TinyLoraReader.Read,
        Train = (config, model, options) => new TrainableTinyLora(config, model, options),
        Variants =
        [
            new()
            {
                Name = "tinylora",
                Kind = MethodKind.LowRank,
                Description = "a few numbers a module that mix random matrices between the base's singular vectors",
                Paper = "2602.04118",
                LearningRate = 1e-2,
                Rank = 2,
                Targets = ["q_proj", "v_proj"],
                Configuration = settings => settings.Config(new()
                {
                    ["projection_seed"] = settings.Given.Seed,
                    ["r"] = settings.Rank,
                    ["target_modules"] = settings.TargetList(),
                }),
            },
        ],
    };
}
