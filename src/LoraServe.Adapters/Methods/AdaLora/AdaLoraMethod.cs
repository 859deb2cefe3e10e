using System.Text.Json.Nodes;
using LoraServe.Adapters.Methods.Description;

namespace LoraServe.Adapters.Methods.AdaLora;

/// <summary>AdaLoRA (Zhang et al. 2023, arXiv:2303.10512).</summary>
internal static class AdaLoraMethod
{
    /// <summary>The method.</summary>
    public static Method AdaLora { get; } = new()
    {
        Type = "ADALORA",
        Read = AdaLoraReader.Read,
        Train = (config, model, options) => new TrainableAdaLora(config, model, options),
        Variants =
        [
            new()
            {
                Name = "adalora",
                Kind = MethodKind.LowRank,
                Description = "low-rank updates that share a budget of ranks by importance",
                Paper = "2303.10512",
                LearningRate = 2e-3,
                Rank = 8,
                Targets = ["all-linear"],
                Configuration = Configure,
            },
        ],
    };

    /// <summary>Half as many ranks again at first; a tenth of the run before ranks are taken away, and a quarter after it.</summary>
    private static JsonObject Configure(VariantSettings settings)
    {
        int first = settings.Rank + Math.Max(settings.Rank / 2, 1);
        int steps = settings.Given.TotalSteps;
        return settings.Config(new()
        {
            ["deltaT"] = Math.Max(1, steps / 100),
            ["init_r"] = first,
            ["lora_alpha"] = settings.Given.Alpha ?? 2 * first,
            ["lora_dropout"] = 0.0,
            ["r"] = settings.Rank,
            ["target_modules"] = settings.TargetList(),
            ["target_r"] = settings.Rank,
            ["tfinal"] = steps / 4,
            ["tinit"] = steps / 10,
            ["total_step"] = steps,
        });
    }
}
