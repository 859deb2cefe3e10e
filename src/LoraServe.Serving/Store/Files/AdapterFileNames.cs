namespace LoraServe.Serving.Store.Files;

/// <summary>What the files of an adapter's folder can be called.</summary>
internal static class AdapterFileNames
{
    public const string Config = "adapter_config.json";

    /// <summary>The weights; AdapterHub has the second name.</summary>
    public static IReadOnlyList<string> Weights { get; } = ["adapter_model.safetensors", "adapter.safetensors"];

    public static IReadOnlyList<string> All { get; } = [Config, .. Weights];
}
