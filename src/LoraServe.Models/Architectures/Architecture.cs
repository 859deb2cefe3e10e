using System.Collections.Immutable;
using System.Text.Json;
using LoraServe.Adapters.Edits;
using LoraServe.Compute.Files;
using LoraServe.Models.Config;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Architectures;

/// <summary>How the files of one kind of model are read and written. An architecture is data: the forward pass knows only the spec.</summary>
internal sealed record Architecture
{
    /// <summary>Every architecture that can be loaded.</summary>
    public static IReadOnlyList<Architecture> All { get; } =
    [
        Llama.Architecture, Mistral.Architecture, Mixtral.Architecture, Qwen2.Architecture, Qwen3.Architecture, Qwen3Moe.Architecture, Gemma.Architecture,
        Gemma2.Architecture, Gemma3.Architecture, Phi3.Architecture, SmolLm3.Architecture, Olmo2.Architecture, Granite.Architecture, Gpt2.Architecture,
        GptNeox.Architecture, Starcoder2.Architecture,
    ];

    /// <summary>Hugging Face's <c>model_type</c>.</summary>
    public required string Name { get; init; }

    /// <summary>GGUF's <c>general.architecture</c>.</summary>
    public string GgufName
    {
        get => field ?? Name;
        init;
    }

    /// <summary>The class in config.json's <c>architectures</c>.</summary>
    public required string ClassName { get; init; }

    /// <summary>What config.json says.</summary>
    public required Func<JsonFields, TransformerSpec> FromHuggingFace { get; init; }

    /// <summary>Writes into config.json what <see cref="FromHuggingFace"/> reads; what that would not find again is refused under the model's name.</summary>
    public required Action<Utf8JsonWriter, TransformerSpec, string> ToHuggingFace { get; init; }

    /// <summary>What a GGUF file's metadata says; null where such files call it by another architecture's name.</summary>
    public Func<GgufConfig, TransformerSpec>? FromGguf { get; init; }

    /// <summary>Whether layers have experts.</summary>
    public bool HasExperts { get; init; }

    /// <summary>Whether GGUF files have the offset of gains in the gains.</summary>
    public bool GgufGainsAreWhole { get; init; }

    /// <summary>The linear maps whose weights Hugging Face's files have as [inputs, outputs].</summary>
    public ImmutableArray<SiteRole> TransposedLinears { get; init; } = [];

    /// <summary>Names in Hugging Face's files, by which adapters name modules too.</summary>
    public ParameterNames HuggingFaceNames { get; init; } = ParameterNames.HuggingFace;

    /// <summary>Names in GGUF files.</summary>
    public ParameterNames GgufNames { get; init; } = ParameterNames.Gguf;

    /// <summary>Finds the architecture of a GGUF file.</summary>
    public static Architecture Of(GgufFile file)
    {
        string name = file.Metadata.GetString("general.architecture");
        Architecture[] known = [.. All.Where(architecture => architecture.FromGguf is not null)];

        // Files of one name may be those of two families, with and without experts.
        bool hasExperts = file.Metadata.FindInteger($"{name}.expert_count") > 0;
        return known.Where(architecture => architecture.GgufName == name).OrderByDescending(architecture => architecture.HasExperts == hasExperts).FirstOrDefault()
            ?? throw Unsupported(file.Path, "metadata 'general.architecture'", name, known.Select(architecture => architecture.GgufName).Distinct());
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
