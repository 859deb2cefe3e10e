using System.Text.Json.Nodes;
using LoraServe.Adapters.Methods.Description;

namespace LoraServe.Adapters.Methods.WaveFt;

/// <summary>WaveFT (Bilican et al. 2025, arXiv:2505.12532).</summary>
internal static class WaveFtMethod
{
    /// <summary>The method.</summary>
    public static Method WaveFt { get; } = new()
    {
        Type = "WAVEFT",
        Read = WaveFtReader.Read,
        Train = (config, model, options) => new TrainableWaveFt(config, model, options),
        Variants =
        [
            new()
            {
                Name = "waveft",
                Kind = MethodKind.OtherUpdate,
                Description = "a few coefficients of the update's wavelet transform",
                Paper = "2505.12532",
                LearningRate = 1e-3,
                Targets = ["q_proj", "v_proj"],
                Configuration = Configure,
            },
        ],
    };

    /// <summary>As many coefficients as usual, in small models one for two elements of the smallest weight.</summary>
    private static JsonObject Configure(VariantSettings settings)
    {
        const long Usual = 2592;
        long elements = settings.TargetedModules().Min(module => (long)module.Outputs * module.Inputs);
        return settings.Config(new()
        {
            ["n_frequency"] = Math.Min(Usual, Math.Max(elements / 2, 1)),
            ["random_loc_seed"] = settings.Given.Seed,
            ["target_modules"] = settings.TargetList(),
        });
    }
}
