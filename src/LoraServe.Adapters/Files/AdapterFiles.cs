using System.Security.Cryptography;
using LoraServe.Compute.Files;

namespace LoraServe.Adapters.Files;

/// <summary>The bytes of an adapter's directory, read once, so that digest and content belong together whatever happens to the files.</summary>
/// <param name="Location">The directory.</param>
/// <param name="Config">Bytes of <c>adapter_config.json</c>.</param>
/// <param name="Weights">Path and bytes of each file with weights.</param>
/// <param name="Inner">The adapters that it is made of, see <see cref="InnerAdapters"/>.</param>
/// <param name="Digest">SHA-256 of configuration, weights, where it brings a chat template the files about that, and the digests of <paramref name="Inner"/>, in lower-case hexadecimal.</param>
internal sealed record AdapterFiles(string Location, byte[] Config, IReadOnlyList<(string Path, byte[] Bytes)> Weights, IReadOnlyList<AdapterFiles> Inner, string Digest)
{
    /// <summary>Where the weights' metadata says on which base exactly the adapter was made; most files do not.</summary>
    public const string BaseFingerprintKey = "loraserve.base_fingerprint";

    /// <summary>What PEFT puts before a module's path.</summary>
    public const string PeftPrefix = "base_model.model.";

    private const int MaximumConfigBytes = 16 << 20;
    private static readonly string[] s_pickles = ["adapter_model.bin", "adapter_model.pt", "pytorch_model.bin", "pytorch_adapter.bin", "adapters.npz"];

    /// <summary>The configuration's path.</summary>
    public string ConfigPath => Path.Combine(Location, AdapterFileNames.Config);

    /// <summary>The weights, for messages: the file, or the first of several.</summary>
    public string WeightsPath => Weights[0].Path;

    /// <summary>Bytes of all files with weights.</summary>
    public long WeightsLength => Weights.Sum(file => file.Bytes.LongLength);

    /// <summary>The same with those of the adapters that it is made of.</summary>
    public long AllLength => WeightsLength + Inner.Sum(inner => inner.WeightsLength);

    /// <summary>Reads a PEFT, AdapterHub or mlx-lm directory.</summary>
    /// <exception cref="AdapterFormatException">A file is missing, a pickle, or too large.</exception>
    public static AdapterFiles ReadDirectory(string directory, AdapterLimits limits) => ReadDirectory(directory, limits, outer: null);

    private static AdapterFiles ReadDirectory(string directory, AdapterLimits limits, string? outer)
    {
        if (!Directory.Exists(directory))
        {
            throw new AdapterFormatException($"{directory}: no such directory. Give a directory with {AdapterFileNames.Config} and {AdapterFileNames.PeftWeights}, or a GGUF adapter file.");
        }

        byte[] config = ReadFile(Path.Combine(directory, AdapterFileNames.Config), MaximumConfigBytes, AdviceFor(directory));
        if (outer is not null && InnerAdapters.IsOuter(config))
        {
            throw new AdapterFormatException($"{directory}: is an X-LoRA adapter, and one of those that {outer} is made of; expected plain LoRA. Name a LoRA adapter in its 'adapters'.");
        }

        byte[]? index = AdapterShards.ReadIndex(directory, MaximumConfigBytes);
        List<(string Path, byte[] Bytes)> weights = [];
        long room = limits.MaximumFileBytes;
        foreach (string path in WeightsIn(directory, index))
        {
            weights.Add((path, ReadFile(path, room, $"Save the adapter again; its weights are missing. {Held(directory)}")));
            room -= weights[^1].Bytes.LongLength;
        }

        List<AdapterFiles> inner = [];
        foreach (string path in InnerAdapters.PathsIn(directory, config, limits))
        {
            inner.Add(ReadDirectory(path, limits with { MaximumFileBytes = room }, directory));
            room -= inner[^1].WeightsLength;
        }

        byte[][] indexes = weights.Count > 1 && index is not null ? [index] : [];
        IEnumerable<byte[]> parts = [config, .. indexes, .. weights.Select(file => file.Bytes), .. AdapterText.Read(directory), .. inner.Select(each => Convert.FromHexString(each.Digest))];
        return new AdapterFiles(directory, config, weights, inner, DigestOf(parts));
    }

    /// <summary>Paths of the files in a directory, and in those of the adapters that it is made of as far as they can be found.</summary>
    public static string[] PathsOf(string directory, AdapterLimits limits)
    {
        IReadOnlyList<string> inner = [];
        try
        {
            inner = InnerAdapters.PathsIn(directory, ReadFile(Path.Combine(directory, AdapterFileNames.Config), MaximumConfigBytes, ""), limits);
        }
        catch (AdapterFormatException)
        {
            // Whoever reads it says what is wrong.
        }

        return [.. inner.Prepend(directory).SelectMany(path => AdapterFileNames.PartsIn(path).Select(name => Path.Combine(path, name)))];
    }

    private static string[] WeightsIn(string directory, byte[]? index)
    {
        if (AdapterFileNames.Weights.Select(name => Path.Combine(directory, name)).FirstOrDefault(File.Exists) is { } whole)
        {
            // A whole file of PEFT's counts before its shards, as everywhere; those of others have none.
            return [whole];
        }

        if (AdapterShards.PathsIn(directory, index) is { Length: > 0 } shards)
        {
            return shards;
        }

        return s_pickles.FirstOrDefault(name => File.Exists(Path.Combine(directory, name))) is { } pickle
            ? throw new AdapterFormatException($"{directory}: holds {pickle}, a pickle, which can run code when it is read; expected {AdapterFileNames.PeftWeights}. Save the adapter again with safe_serialization.")
            : [Path.Combine(directory, AdapterFileNames.PeftWeights)];
    }

    private static string AdviceFor(string directory)
    {
        string[] gguf = [.. Directory.EnumerateFiles(directory, "*.gguf").Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)];
        return gguf.Length > 0 ? $"The directory holds {gguf[0]}: give that file."
            : File.Exists(Path.Combine(directory, "config.json")) ? "The directory holds config.json, so it is a model's, not an adapter's: give an adapter, or give this as the model."
            : $"A PEFT adapter is a directory with {AdapterFileNames.Config} and {AdapterFileNames.PeftWeights}. {Held(directory)}";
    }

    private static string Held(string directory) => $"The directory {DirectoryContent.Describe(directory)}.";

    /// <summary>The digest of a lone file.</summary>
    /// <exception cref="AdapterFormatException">The file cannot be read or is too large.</exception>
    public static string DigestOf(string path, AdapterLimits limits, out long length)
    {
        if (AdapterFileNames.IsPart(Path.GetFileName(path)))
        {
            throw new AdapterFormatException($"{path}: is one file of an adapter's directory. Give the directory, {Path.GetDirectoryName(Path.GetFullPath(path))}.");
        }

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
