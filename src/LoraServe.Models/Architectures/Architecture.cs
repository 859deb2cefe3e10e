using System.Text.Json;
using LoraServe.Compute.Files;
using LoraServe.Models.Config;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Architectures;

/// <summary>How the files of one kind of model are read and written. An architecture is data: the forward pass knows only the spec.</summary>
internal sealed record Architecture
{
    /// <summary>Every architecture that can be loaded.</summary>
    public static IReadOnlyList<Architecture> All { get; } = [Llama.Architecture, Qwen2.Architecture];

    /// <summary>Hugging Face's <c>model_type</c> and GGUF's <c>general.architecture</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The class in config.json's <c>architectures</c>.</summary>
    public required string ClassName { get; init; }

    /// <summary>What config.json says.</summary>
    public required Func<JsonFields, TransformerSpec> FromHuggingFace { get; init; }

    /// <summary>Writes into config.json what <see cref="FromHuggingFace"/> reads; what that would not find again is refused under the model's name.</summary>
    public required Action<Utf8JsonWriter, TransformerSpec, string> ToHuggingFace { get; init; }

    /// <summary>What a GGUF file's metadata says.</summary>
    public required Func<GgufFile, TransformerSpec> FromGguf { get; init; }

    /// <summary>Whether GGUF stores the rows of query and key with the two halves of each head interleaved.</summary>
    public bool InterleavedInGguf { get; init; }

    /// <summary>Names in Hugging Face's files, by which adapters name modules too.</summary>
    public ParameterNames HuggingFaceNames { get; init; } = ParameterNames.HuggingFace;

    /// <summary>Names in GGUF files.</summary>
    public ParameterNames GgufNames { get; init; } = ParameterNames.Gguf;

    /// <summary>Finds the architecture of a GGUF file.</summary>
    public static Architecture Of(GgufFile file)
    {
        string name = file.Metadata.GetString("general.architecture");
        return All.FirstOrDefault(architecture => architecture.Name == name)
            ?? throw Unsupported(file.Path, "metadata 'general.architecture'", name, All.Select(architecture => architecture.Name));
    }

    /// <summary>Finds the architecture of a config.json, by <c>model_type</c> or, where that is missing, by class.</summary>
    public static Architecture Of(JsonFields config)
    {
        if (config.String("model_type") is { } type)
        {
            return All.FirstOrDefault(architecture => architecture.Name == type)
                ?? throw Unsupported(config.File, "'model_type'", type, All.Select(architecture => architecture.Name));
        }

        string className = config.Strings("architectures")?.FirstOrDefault()
            ?? throw new ModelFormatException(config.File, $"has neither 'model_type' nor 'architectures'; expected a model_type of {string.Join(", ", All.Select(architecture => architecture.Name))}");
        return All.FirstOrDefault(architecture => architecture.ClassName == className)
            ?? throw Unsupported(config.File, "'architectures'", className, All.Select(architecture => architecture.ClassName));
    }

    private static ModelFormatException Unsupported(string file, string field, string found, IEnumerable<string> supported) =>
        new(file, $"{field} is '{found}', which is not supported; supported are {string.Join(", ", supported)}");
}
