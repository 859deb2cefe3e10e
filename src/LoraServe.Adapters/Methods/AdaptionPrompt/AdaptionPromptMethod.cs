using System.Text.Json.Nodes;
using LoraServe.Adapters.Methods.Description;

namespace LoraServe.Adapters.Methods.AdaptionPrompt;

/// <summary>LLaMA-Adapter (Zhang et al. 2023, arXiv:2303.16199), which PEFT calls adaption prompt.</summary>
internal static class AdaptionPromptMethod
{
    // As in the paper: 30 of LLaMA's 32 layers, ten rows each.
    private const int LayersWithout = 2;
    private const int UsualLength = 10;

    /// <summary>The method.</summary>
    public static Method AdaptionPrompt { get; } = new()
    {
        Type = "ADAPTION_PROMPT",
        Read = AdaptionPromptReader.Read,
        Train = (config, model, options) => new TrainableAdaptionPrompt(config, model, options),
        Complete = Complete,
        Variants =
        [
            new()
            {
                Name = "adaption-prompt",
                OtherNames = ["llama-adapter"],
                Kind = MethodKind.VirtualRows,
                Description = "a gated prompt that the last layers attend to by itself",
                Paper = "2303.16199",
                LearningRate = 9e-3,
                Configuration = settings => settings.Config(new() { ["adapter_len"] = settings.Given.VirtualTokens ?? UsualLength }),
            },
        ],
    };

    private static void Complete(JsonObject config, IBaseModel model)
    {
        config["adapter_layers"] = Math.Max(1, model.LayerCount - LayersWithout);
        config["target_modules"] = AdaptionPromptConfig.NameOfAttention(model);
    }
}
