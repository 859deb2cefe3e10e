using System.Text.Json.Nodes;
using LoraServe.Adapters.Methods.Description;
using LoraServe.Adapters.Methods.Lora;

namespace LoraServe.Adapters.Methods.BitFit;

/// <summary>BitFit (Ben Zaken et al. 2021, arXiv:2106.10199), in LoRA's files: PEFT has none for biases alone.</summary>
internal static class BitFitMethod
{
    /// <summary>The method.</summary>
    public static Method BitFit { get; } = new()
    {
        Type = LoraMethod.Type,
        Train = (config, model, _) => new TrainableBiases(config, model),
        GoOn = LoraMethod.Lora.GoOn,
        Variants =
        [
            new()
            {
                Name = "bitfit",
                Kind = MethodKind.Vector,
                Description = "the base's biases",
                Paper = "2106.10199",
                LearningRate = 2e-3,
                Configuration = Configure,
            },
        ],
    };

    /// <summary>LoRA's format with biases and, since PEFT asks for a target, one pair that is zero.</summary>
    private static JsonObject Configure(VariantSettings settings)
    {
        string target = settings.Model.Modules.First(module => module.Site.Layer == 0).Path;
        return settings.Config(new()
        {
            ["bias"] = "all",
            ["lora_alpha"] = 1,
            ["r"] = 1,
            ["target_modules"] = VariantSettings.List([target]),
        });
    }
}
