using System.Text.Json.Nodes;
using LoraServe.Adapters.Methods.Description;

namespace LoraServe.Adapters.Methods.RandLora;

/// <summary>RandLoRA (Albert et al. 2025, arXiv:2502.00987).</summary>
internal static class RandLoraMethod
{
    /// <summary>The method.</summary>
    public static Method RandLora { get; } = new()
    {
        Type = "RANDLORA",
        Read = RandLoraReader.Read,
        Train = (config, model, _) => new TrainableRandLora(config, model),
        Variants =
        [
            new()
            {
                Name = "randlora",
                Kind = MethodKind.OtherUpdate,
                Description = "scales of random bases that together have full rank",
                Paper = "2502.00987",
                LearningRate = 2e-4,
                Rank = 32,
                Targets = ["q_proj", "v_proj"],
                Configuration = Configure,
            },
        ],
    };

    /// <summary>Alpha is twenty times the rank, as usual with PEFT. The bases are not saved, since PEFT would do so at every module.</summary>
    private static JsonObject Configure(VariantSettings settings) => settings.Config(new()
    {
        ["projection_prng_key"] = settings.Given.Seed,
        ["r"] = settings.Rank,
        ["randlora_alpha"] = settings.Given.Alpha ?? 20 * settings.Rank,
        ["save_projection"] = false,
        ["target_modules"] = settings.TargetList(),
    });
}
