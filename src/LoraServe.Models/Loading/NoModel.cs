using LoraServe.Compute.Files;

namespace LoraServe.Models.Loading;

/// <summary>Says what is in a directory that is no model's, and what to do.</summary>
internal static class NoModel
{
    /// <summary>A sentence or two.</summary>
    public static string Describe(string directory)
    {
        string[] names = DirectoryContent.Names(directory);
        return Find(".gguf") is { } gguf ? $"It holds {gguf}: give that file"
            : names.Contains("adapter_config.json") ? "It holds adapter_config.json, so it is an adapter's directory, not a model's: give the base as the model, and this as an adapter"
            : Find(".bin", ".pt", ".pth") is { } pickle ? $"It holds {pickle}, a pickle, which can run code when it is read: save the model with safe_serialization, or convert it to safetensors"
            : $"It {DirectoryContent.Describe(directory)}";

        string? Find(params string[] endings) => names.FirstOrDefault(name => endings.Any(ending => name.EndsWith(ending, StringComparison.OrdinalIgnoreCase)));
    }
}
