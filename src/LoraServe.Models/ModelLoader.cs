using LoraServe.Models.Config;
using LoraServe.Models.Loading;
using LoraServe.Models.Spec;

namespace LoraServe.Models;

/// <summary>Loads models of the families that <see cref="Architectures.Architecture.All"/> lists.</summary>
public static class ModelLoader
{
    /// <summary>Loads a GGUF file, or a Hugging Face directory with config.json and safetensors.</summary>
    /// <param name="device">Where the model is to run.</param>
    /// <param name="ggufFileOrHuggingFaceDirectory">Path of the one or the other.</param>
    /// <param name="options">How to load it; null for the defaults.</param>
    /// <exception cref="ModelFormatException">The model is missing, damaged, contradicts itself or is of a kind that is not supported.</exception>
    /// <exception cref="Compute.Files.TensorFileException">A file of its weights is.</exception>
    /// <exception cref="Tokenization.Files.TokenizerFormatException">Its tokenizer is.</exception>
    public static LoadedModel Load(IDevice device, string ggufFileOrHuggingFaceDirectory, ModelLoadOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(device);
        return Load(device, Open(ggufFileOrHuggingFaceDirectory), options);
    }

    /// <summary>Opens a model's files.</summary>
    internal static ModelSource Open(string path) => Directory.Exists(path) ? HuggingFaceSource.Open(path)
        : File.Exists(path) ? GgufSource.Open(RequireGguf(path))
        : throw new ModelFormatException(path, "no such file or directory; expected a GGUF file or a Hugging Face directory");

    /// <summary>Makes a model of a shape with random weights in bfloat16, the same for the same seed: for measuring speed, which weights do not change.</summary>
    /// <param name="device">Where the model is to run.</param>
    /// <param name="shape">One of <see cref="NamedShapes"/>.</param>
    /// <param name="seed">What its weights are drawn from.</param>
    /// <param name="options">How to load it; null for the defaults.</param>
    /// <exception cref="ArgumentException">There is no such shape.</exception>
    public static LoadedModel Random(IDevice device, string shape, int seed, ModelLoadOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(device);
        return NamedShapes.All.TryGetValue(shape, out TransformerSpec? spec)
            ? Load(device, RandomSource.Open(shape, spec, seed), options)
            : throw new ArgumentException($"'{shape}' is no named shape", nameof(shape));
    }

    private static string RequireGguf(string path) =>
        path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".json", StringComparison.OrdinalIgnoreCase)
            ? throw new ModelFormatException(path, $"is one file of a model's directory; give the directory, {Path.GetDirectoryName(Path.GetFullPath(path))}")
            : path;

    private static IEnumerable<string> Unused(ModelSource source)
    {
        string[] names = [.. source.Unasked()];
        if (names.Length > 0)
        {
            yield return $"{source.Path}: {names.Length} tensors are no part of a {source.Architecture.Name} model as it is configured, first {string.Join(", ", names.Take(3).Select(name => $"'{name}'"))}. They are not used.";
        }
    }

    private static LoadedModel Load(IDevice device, ModelSource source, ModelLoadOptions? options)
    {
        try
        {
            Transformer transformer = device.Load(new ModelWeights(source), options ?? new ModelLoadOptions());
            return new LoadedModel(source.Name, transformer, source.Text, source.Generation, [.. source.Warnings, .. Unused(source)]);
        }
        catch
        {
            source.Files.Dispose();
            throw;
        }
    }
}
