using System.Text.Json.Nodes;
using LoraServe.Adapters.Methods.Description;
using LoraServe.Adapters.Methods.Prompt;

namespace LoraServe.Adapters.Methods.PTuning;

/// <summary>P-tuning (Liu et al. 2021, arXiv:2103.10385), whose files are those of prompt tuning.</summary>
internal static class PTuningMethod
{
    /// <summary>The method.</summary>
    public static Method PTuning { get; } = new()
    {
        Type = "P_TUNING",
        Read = PromptReader.ReadEncodedPrompt,
        Train = (config, model, options) => new TrainablePTuning(config, model, options),
        Variants =
        [
            new()
            {
                Name = "p-tuning",
                Kind = MethodKind.VirtualRows,
                Description = "virtual tokens that a small network makes",
                Paper = "2103.10385",
                LearningRate = 2e-3,
                Configuration = Configure,
            },
        ],
    };

    private static JsonObject Configure(VariantSettings settings)
    {
        const int MostHidden = 128;
        return settings.Config(new()
        {
            ["encoder_hidden_size"] = Math.Min(settings.Model.Width, MostHidden),
            ["num_virtual_tokens"] = settings.VirtualTokens,
        });
    }
}
