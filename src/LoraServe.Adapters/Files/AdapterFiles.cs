using System.Security.Cryptography;

namespace LoraServe.Adapters.Files;

/// <summary>The bytes of an adapter's directory, read once, so that digest and content belong together whatever happens to the files.</summary>
/// <param name="Location">The directory.</param>
/// <param name="Config">Bytes of <c>adapter_config.json</c>.</param>
/// <param name="Weights">Bytes of the weights file.</param>
/// <param name="WeightsPath">The weights file.</param>
/// <param name="Digest">SHA-256 of configuration, weights and, where it brings a chat template, the files about that, in lower-case hexadecimal.</param>
internal sealed record AdapterFiles(string Location, byte[] Config, byte[] Weights, string WeightsPath, string Digest)
{
    /// <summary>Where the weights' metadata says on which base exactly the adapter was made; most files do not.</summary>
    public const string BaseFingerprintKey = "loraserve.base_fingerprint";

    /// <summary>What PEFT puts before a module's path.</summary>
    public const string PeftPrefix = "base_model.model.";

    private const int MaximumConfigBytes = 16 << 20;
    private static readonly string[] s_pickles = ["adapter_model.bin", "adapter_model.pt", "pytorch_model.bin", "pytorch_adapter.bin"];

    /// <summary>The configuration's path.</summary>
    public string ConfigPath => Path.Combine(Location, AdapterFileNames.Config);

    /// <summary>Reads a PEFT or AdapterHub directory.</summary>
    /// <exception cref="AdapterFormatException">A file is missing, a pickle, or too large.</exception>
    public static AdapterFiles ReadDirectory(string directory, AdapterLimits limits)
    {
        if (!Directory.Exists(directory))
        {
            throw new AdapterFormatException($"{directory}: no such directory. Give a directory with {AdapterFileNames.Config} and {AdapterFileNames.PeftWeights}, or a GGUF adapter file.");
        }

        byte[] config = ReadFile(Path.Combine(directory, AdapterFileNames.Config), MaximumConfigBytes, $"A PEFT adapter is a directory with {AdapterFileNames.Config} and {AdapterFileNames.PeftWeights}.");
        string weightsPath = Path.Combine(directory, AdapterFileNames.PeftWeights);
        if (!File.Exists(weightsPath) && File.Exists(Path.Combine(directory, AdapterFileNames.AdapterHubWeights)))
        {
            weightsPath = Path.Combine(directory, AdapterFileNames.AdapterHubWeights);
        }

        if (!File.Exists(weightsPath) && s_pickles.FirstOrDefault(name => File.Exists(Path.Combine(directory, name))) is { } pickle)
        {
            throw new AdapterFormatException($"{directory}: holds {pickle}, a pickle, which can run code when it is read; expected {AdapterFileNames.PeftWeights}. Save the adapter again with safe_serialization.");
        }

        byte[] weights = ReadFile(weightsPath, limits.MaximumFileBytes, "Save the adapter again; its weights are missing.");
        return new AdapterFiles(directory, config, weights, weightsPath, DigestOf([config, weights, .. AdapterText.Read(directory)]));
    }

    /// <summary>The digest of a lone file.</summary>
    /// <exception cref="AdapterFormatException">The file cannot be read or is too large.</exception>
    public static string DigestOf(string path, AdapterLimits limits, out long length)
    {
        byte[] bytes = ReadFile(path, limits.MaximumFileBytes, "Give a PEFT directory or a GGUF adapter file.");
        length = bytes.LongLength;
        return DigestOf([bytes]);
    }

    internal static byte[] ReadFile(string path, long maximumBytes, string advice)
    {
        try
        {
            using FileStream stream = File.OpenRead(path);
            if (stream.Length > Math.Min(maximumBytes, Array.MaxLength))
            {
                throw new AdapterFormatException($"{path}: {stream.Length} bytes long; expected at most {Math.Min(maximumBytes, Array.MaxLength)}. Raise the limit if the file is genuine.");
            }

            byte[] bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            return bytes;
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new AdapterFormatException($"{path}: is not there. {advice}", missing);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new AdapterFormatException($"{path}: cannot be read ({failure.Message}). {advice}", failure);
        }
    }

    private static string DigestOf(IEnumerable<byte[]> files)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (byte[] file in files)
        {
            hash.AppendData(file);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
