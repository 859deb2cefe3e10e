using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using LoraServe.Adapters.Files;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;

namespace LoraServe.Adapters.Peft;

/// <summary>Writes adapters of any method as directories that PEFT or, for bottleneck adapters, AdapterHub reads.</summary>
public static class AdapterWriter
{
    private static readonly JsonSerializerOptions s_readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes a directory whole or not at all. In one that is there already, the two files are replaced, the configuration last, and others stay.</summary>
    /// <param name="directory">The directory.</param>
    /// <param name="config">Content of <c>adapter_config.json</c>, as the method's template has it.</param>
    /// <param name="tensors">The tensors under the names that the library reads.</param>
    /// <param name="baseFingerprint">The base's fingerprint, where every other base is to be refused, the same model in another quantisation too.</param>
    /// <exception cref="ArgumentException">There is no tensor, or two have the same name.</exception>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public static void Write(string directory, JsonObject config, IEnumerable<Tensor> tensors, string? baseFingerprint = null)
    {
        ArgumentNullException.ThrowIfNull(directory);
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(tensors);
        Tensor[] all = [.. tensors];
        if (all.Length == 0)
        {
            throw new ArgumentException("There are no tensors to write.", nameof(tensors));
        }

        directory = Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory));
        if (Directory.Exists(directory))
        {
            WriteFiles(directory, config, all, baseFingerprint);
            return;
        }

        string partial = $"{directory}.{Guid.NewGuid():n}.partial";
        try
        {
            Directory.CreateDirectory(partial);
            WriteFiles(partial, config, all, baseFingerprint);
            AtomicFile.Move(partial, directory);
        }
        finally
        {
            if (Directory.Exists(partial))
            {
                Directory.Delete(partial, recursive: true);
            }
        }
    }

    private static void WriteFiles(string directory, JsonObject config, Tensor[] tensors, string? baseFingerprint)
    {
        bool isPeft = config.ContainsKey("peft_type");
        var metadata = new Dictionary<string, string>();
        if (isPeft)
        {
            metadata["format"] = "pt";
        }

        if (baseFingerprint is not null)
        {
            metadata[AdapterFiles.BaseFingerprintKey] = baseFingerprint;
        }

        SafetensorsFile.Write(Path.Combine(directory, isPeft ? AdapterFileNames.PeftWeights : AdapterFileNames.AdapterHubWeights), tensors, metadata);
        AtomicFile.WriteAllText(Path.Combine(directory, AdapterFileNames.Config), config.ToJsonString(s_readable));
    }
}
