using System.Text.Json;
using LoraServe.Compute.Files;

namespace LoraServe.Adapters.Files;

/// <summary>Which files PEFT's weights lie in where they are several: those that the index names, or without one all of such names.</summary>
internal static class AdapterShards
{
    private const int MostShards = 4096;
    private static readonly JsonDocumentOptions s_strict = new() { AllowDuplicateProperties = false };

    /// <summary>Bytes of the index; null where there is none.</summary>
    public static byte[]? ReadIndex(string directory, long maximumBytes)
    {
        string path = Path.Combine(directory, AdapterFileNames.PeftIndex);
        return File.Exists(path) ? AdapterFiles.ReadFile(path, maximumBytes, "Download or save the adapter again.") : null;
    }

    /// <summary>The shards' paths in the order of their names; none where there are none.</summary>
    /// <exception cref="AdapterFormatException">The index is damaged or names other files than shards.</exception>
    public static string[] PathsIn(string directory, byte[]? index)
    {
        string[] names = index is null
            ? [.. Directory.EnumerateFiles(directory).Select(path => Path.GetFileName(path)!).Where(AdapterFileNames.IsShard)]
            : Named(index, Path.Combine(directory, AdapterFileNames.PeftIndex));
        return names.Length <= MostShards
            ? [.. names.Distinct().Order(StringComparer.Ordinal).Select(name => Path.Combine(directory, name))]
            : throw new AdapterFormatException($"{directory}: has {names.Length} files of weights; expected at most {MostShards}. Save the adapter again in one file.");
    }

    private static string[] Named(byte[] index, string path)
    {
        try
        {
            using var document = JsonDocument.Parse(index, s_strict);
            string[]? names = document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("weight_map", out JsonElement map) && map.ValueKind == JsonValueKind.Object
                ? [.. map.EnumerateObject().Select(entry => entry.Value.ValueKind == JsonValueKind.String ? entry.Value.GetString()! : entry.Value.GetRawText()).Distinct()]
                : null;
            return names is null ? throw new AdapterFormatException($"{path}: has no 'weight_map'; expected an object from tensors to files. Save the adapter again.")
                : names.FirstOrDefault(name => !AdapterFileNames.IsShard(name)) is { } other
                    ? throw new AdapterFormatException($"{path}: 'weight_map' names '{(other.Length > 80 ? other[..80] + "…" : other)}'; expected files beside it such as adapter_model-00001-of-00002.safetensors. Save the adapter again.")
                : names;
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            string what = ForeignContent.DescribeInsteadOfJson(index) is { } found && broken is JsonException ? $"it is {found}" : broken is JsonException mistake ? JsonMistake.Describe(mistake) : broken.Message;
            throw new AdapterFormatException($"{path}: is not valid JSON ({what}). Download or save the adapter again.", broken);
        }
    }
}
