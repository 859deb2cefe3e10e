using System.Numerics;
using System.Text.Json.Nodes;
using LoraServe.Adapters.Methods.Description;

namespace LoraServe.Adapters.Methods.VbLora;

/// <summary>VB-LoRA (Li et al. 2024, arXiv:2405.15179).</summary>
internal static class VbLoraMethod
{
    /// <summary>The method.</summary>
    public static Method VbLora { get; } = new()
    {
        Type = "VBLORA",
        Read = VbLoraReader.Read,
        Train = (config, model, options) => new TrainableVbLora(config, model, options),
        Variants =
        [
            new()
            {
                Name = "vblora",
                Kind = MethodKind.OtherUpdate,
                Description = "low-rank updates put together from a bank of vectors that all modules share",
                Paper = "2405.15179",
                LearningRate = 5e-3,
                Rank = 4,
                Targets = ["all-linear"],
                Configuration = Configure,
            },
        ],
    };

    /// <summary>Vectors as long as fits all modules, up to 256.</summary>
    private static JsonObject Configure(VariantSettings settings)
    {
        const int Longest = 256;
        int common = settings.TargetedModules()
            .Aggregate(0, (divisor, module) => (int)BigInteger.GreatestCommonDivisor(BigInteger.GreatestCommonDivisor(divisor, module.Outputs), module.Inputs));
        return settings.Config(new()
        {
            ["r"] = settings.Rank,
            ["target_modules"] = settings.TargetList(),
            ["vector_length"] = Enumerable.Range(1, Math.Min(common, Longest)).Last(length => common % length == 0),
        });
    }
}
