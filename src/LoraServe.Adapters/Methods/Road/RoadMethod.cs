using System.Text.Json.Nodes;
using LoraServe.Adapters.Methods.Description;

namespace LoraServe.Adapters.Methods.Road;

/// <summary>RoAd (Liao and Monz 2024, arXiv:2409.00119).</summary>
internal static class RoadMethod
{
    private const int UsualGroup = 64;

    /// <summary>The method.</summary>
    public static Method Road { get; } = new()
    {
        Type = "ROAD",
        Read = RoadReader.Read,
        Train = (config, model, options) => new TrainableRoad(config, model, options),
        Variants =
        [
            new()
            {
                Name = "road",
                Kind = MethodKind.Rotation,
                Description = "rotations and scales of pairs of outputs",
                Paper = "2409.00119",
                LearningRate = 1e-3,
                Targets = ["all-linear"],
                Configuration = Configure,
            },
        ],
    };

    /// <summary>Groups of the usual size, or of what divides all that is adapted.</summary>
    private static JsonObject Configure(VariantSettings settings)
    {
        int size = UsualGroup;
        while (size > 2 && settings.TargetedModules().Any(module => module.Outputs % size != 0))
        {
            size /= 2;
        }

        return settings.Config(new()
        {
            ["group_size"] = size,
            ["target_modules"] = settings.TargetList(),
        });
    }
}
