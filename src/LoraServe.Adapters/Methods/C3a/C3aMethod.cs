using System.Text.Json.Nodes;
using LoraServe.Adapters.Methods.Description;

namespace LoraServe.Adapters.Methods.C3a;

/// <summary>C³A (Chen et al. 2024, arXiv:2407.19342).</summary>
internal static class C3aMethod
{
    private const int UsualSize = 256;

    /// <summary>The method.</summary>
    public static Method C3a { get; } = new()
    {
        Type = "C3A",
        Read = C3aReader.Read,
        Train = (config, model, options) => new TrainableC3a(config, model, options),
        Variants =
        [
            new()
            {
                Name = "c3a",
                Kind = MethodKind.OtherUpdate,
                Description = "a circulant update of each block of the weight",
                Paper = "2407.19342",
                LearningRate = 1e-1,
                Targets = ["q_proj", "v_proj"],
                Configuration = Configure,
            },
        ],
    };

    /// <summary>Blocks of the usual size, or of what divides all that is adapted; zeros at first.</summary>
    private static JsonObject Configure(VariantSettings settings)
    {
        int size = settings.TargetedModules().Aggregate(UsualSize, (size, module) => Divisor(size, Divisor(module.Inputs, module.Outputs)));
        return settings.Config(new()
        {
            ["block_size"] = size,
            ["init_weights"] = true,
            ["target_modules"] = settings.TargetList(),
        });
    }

    private static int Divisor(int a, int b) => b == 0 ? a : Divisor(b, a % b);
}
