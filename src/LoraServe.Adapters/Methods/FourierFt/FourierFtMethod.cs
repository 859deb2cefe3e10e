using System.Text.Json.Nodes;
using LoraServe.Adapters.Methods.Description;

namespace LoraServe.Adapters.Methods.FourierFt;

/// <summary>FourierFT (Gao et al. 2024, arXiv:2405.03003).</summary>
internal static class FourierFtMethod
{
    /// <summary>The method.</summary>
    public static Method FourierFt { get; } = new()
    {
        Type = "FOURIERFT",
        Read = FourierFtReader.Read,
        Train = (config, model, options) => new TrainableFourierFt(config, model, options),
        Variants =
        [
            new()
            {
                Name = "fourierft",
                Kind = MethodKind.OtherUpdate,
                Description = "a few coefficients of the update's Fourier transform",
                Paper = "2405.03003",
                LearningRate = 1e-2,
                Targets = ["q_proj", "v_proj"],
                Configuration = Configure,
            },
        ],
    };

    /// <summary>A thousand coefficients, in small models one for two elements of the smallest weight; zeros at first.</summary>
    private static JsonObject Configure(VariantSettings settings)
    {
        const long Usual = 1000;
        long elements = settings.TargetedModules().Min(module => (long)module.Outputs * module.Inputs);
        return settings.Config(new()
        {
            ["init_weights"] = true,
            ["n_frequency"] = Math.Min(Usual, Math.Max(elements / 2, 1)),
            ["random_loc_seed"] = settings.Given.Seed,
            ["target_modules"] = settings.TargetList(),
        });
    }
}
