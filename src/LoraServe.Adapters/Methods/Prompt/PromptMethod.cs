using System.Text.Json.Nodes;
using LoraServe.Adapters.Methods.Description;

namespace LoraServe.Adapters.Methods.Prompt;

/// <summary>Prompt tuning (Lester et al. 2021, arXiv:2104.08691), and its relatives that are served.</summary>
internal static class PromptMethod
{
    /// <summary>Prompt tuning.</summary>
    public static Method Prompt { get; } = new()
    {
        Type = "PROMPT_TUNING",
        Read = PromptReader.ReadPrompt,
        Train = (config, model, options) => new TrainablePrompt(config, model, options),
        Variants =
        [
            new()
            {
                Name = "prompt",
                OtherNames = ["prompt-tuning"],
                Kind = MethodKind.VirtualRows,
                Description = "embeddings of virtual tokens ahead of the prompt",
                Paper = "2104.08691",
                LearningRate = 2e-2,
                Configuration = Configure,
            },
        ],
    };

    /// <summary>Context-aware prompt tuning (Blau et al. 2024).</summary>
    public static Method ContextPrompt { get; } = new() { Type = "CPT", Read = PromptReader.ReadContextPrompt };

    /// <summary>Multitask prompt tuning (Wang et al. 2023).</summary>
    public static Method MultitaskPrompt { get; } = new() { Type = "MULTITASK_PROMPT_TUNING", Read = PromptReader.ReadMultitaskPrompt };

    private static JsonObject Configure(VariantSettings settings)
    {
        var own = new JsonObject { ["num_virtual_tokens"] = settings.VirtualTokens };
        if (settings.Given.PromptText is { Length: > 0 } text)
        {
            own["prompt_tuning_init"] = "TEXT";
            own["prompt_tuning_init_text"] = text;
            own["tokenizer_name_or_path"] = settings.Given.BaseName;
        }

        return settings.Config(own);
    }
}
