namespace LoraServe.Adapters.Files;

/// <summary>What the files of an adapter's folder are called, by PEFT and AdapterHub.</summary>
public static class AdapterFileNames
{
    /// <summary>The configuration.</summary>
    public const string Config = "adapter_config.json";

    /// <summary>PEFT's weights.</summary>
    public const string PeftWeights = "adapter_model.safetensors";

    /// <summary>AdapterHub's weights.</summary>
    public const string AdapterHubWeights = "adapter.safetensors";

    /// <summary>The names that weights can have; PEFT's counts where both are there.</summary>
    public static IReadOnlyList<string> Weights { get; } = [PeftWeights, AdapterHubWeights];

    /// <summary>What an adapter may bring of text: a chat template of its own, and the special tokens that it writes.</summary>
    public static IReadOnlyList<string> Text { get; } = ["chat_template.jinja", "tokenizer_config.json", "special_tokens_map.json"];

    /// <summary>All that it computes with.</summary>
    public static IReadOnlyList<string> All { get; } = [Config, .. Weights];
}
