using System.Text.Json;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;
using LoraServe.Models.Architectures;
using LoraServe.Models.Config;
using LoraServe.Models.Spec;
using LoraServe.Models.Text;
using LoraServe.Tokenization.Files;

namespace LoraServe.Models;

/// <summary>Writes what a Hugging Face directory holds beside the weights, so that a model that was merged can be loaded there and elsewhere.</summary>
public static class ModelDirectoryWriter
{
    private static readonly string[] s_tokenizerFiles = ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", ChatTemplates.FileName];
    private static readonly string[] s_configFiles = ["config.json", "generation_config.json"];
    private static readonly JsonWriterOptions s_readable = new() { Indented = true };

    /// <summary>Names of all files that lie beside a model's weights, as far as they are written here.</summary>
    public static IReadOnlyList<string> FileNames { get; } = [.. s_configFiles, .. s_tokenizerFiles];

    /// <summary>Writes config.json, generation_config.json and, where the model has one, its chat template.</summary>
    /// <param name="directory">Exists already.</param>
    /// <param name="model">The model whose shape the weights have; they are float32.</param>
    /// <param name="tiedHead">Whether the head still is the token table.</param>
    /// <exception cref="ModelFormatException">The model has a form that only GGUF files can say.</exception>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public static void Write(string directory, LoadedModel model, bool tiedHead)
    {
        ArgumentNullException.ThrowIfNull(model);
        Write(directory, model.Name, model.Transformer.Spec with { TiedHead = tiedHead }, model.Generation, model.Text, ElementType.F32);
    }

    /// <summary>Writes the same of a model that is not loaded.</summary>
    /// <param name="directory">Exists already.</param>
    /// <param name="name">The model's.</param>
    /// <param name="spec">Its shape.</param>
    /// <param name="generation">Its begin and end tokens.</param>
    /// <param name="text">What it says of text.</param>
    /// <param name="type">What matrices are stored as.</param>
    /// <param name="plainMaps">Names of the linear maps that are stored plainly where the others are bitsandbytes' NF4; null: none is.</param>
    internal static void Write(
        string directory, string name, TransformerSpec spec, GenerationDefaults generation, ModelText text, ElementType type, IReadOnlyList<string>? plainMaps = null)
    {
        WriteJson(Path.Combine(directory, s_configFiles[0]), json => WriteConfig(json, name, spec, generation, type, plainMaps));
        WriteJson(Path.Combine(directory, s_configFiles[1]), json => WriteTokens(json, generation));
        text.Templates?.Write(directory);
    }

    /// <summary>Copies the tokenizer's files of a Hugging Face directory, or writes what a GGUF file says of its tokenizer as such. False where there is none of the kind.</summary>
    /// <param name="source">The directory or GGUF file that has it; any other path has no tokenizer.</param>
    /// <param name="directory">The directory that gets the files.</param>
    /// <exception cref="IOException">A file cannot be read or written.</exception>
    /// <exception cref="TensorFileException">A GGUF file is damaged.</exception>
    /// <exception cref="TokenizerFormatException">A GGUF file's vocabulary is damaged.</exception>
    public static bool CopyTokenizer(string source, string directory)
    {
        if (File.Exists(source) && !source.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
        {
            return WriteTokenizer(source, directory);
        }

        foreach (string file in s_tokenizerFiles.Where(file => File.Exists(Path.Combine(source, file))))
        {
            using FileStream content = File.OpenRead(Path.Combine(source, file));
            AtomicFile.Write(Path.Combine(directory, file), content.CopyTo);
        }

        return File.Exists(Path.Combine(directory, s_tokenizerFiles[0]));
    }

    private static bool WriteTokenizer(string gguf, string directory)
    {
        using GgufFile file = GgufFile.Open(gguf);
        if (file.Metadata.FindString(GgufVocabulary.HuggingFaceKey) is { } whole)
        {
            AtomicFile.WriteAllText(Path.Combine(directory, s_tokenizerFiles[0]), whole);
            return true;
        }

        if (GgufVocabulary.Read(file, []) is not { } vocabulary || !GgufTokenizerFiles.CanWrite(vocabulary))
        {
            return false;
        }

        AtomicFile.Write(Path.Combine(directory, s_tokenizerFiles[0]), output => GgufTokenizerFiles.WriteTokenizer(vocabulary, output));
        AtomicFile.Write(Path.Combine(directory, TokenizerSettings.ConfigFile), output => GgufTokenizerFiles.WriteSettings(vocabulary, output));
        return true;
    }

    private static void WriteJson(string path, Action<Utf8JsonWriter> write) => AtomicFile.Write(path, file =>
    {
        using var json = new Utf8JsonWriter(file, s_readable);
        json.WriteStartObject();
        write(json);
        json.WriteEndObject();
    });

    private static void WriteConfig(Utf8JsonWriter json, string name, TransformerSpec spec, GenerationDefaults generation, ElementType type, IReadOnlyList<string>? plainMaps)
    {
        Architecture architecture = Architecture.All.First(architecture => architecture.Name == spec.Architecture);
        json.WriteStartArray("architectures");
        json.WriteStringValue(architecture.ClassName);
        json.WriteEndArray();
        json.WriteString("model_type", architecture.Name);
        architecture.ToHuggingFace(json, spec, name);
        json.WriteString("torch_dtype", type.TorchName());
        if (plainMaps is not null)
        {
            WriteQuantization(json, type, plainMaps);
        }

        WriteTokens(json, generation);
    }

    // As transformers writes it of a model that it has quantised.
    private static void WriteQuantization(Utf8JsonWriter json, ElementType type, IReadOnlyList<string> plainMaps)
    {
        json.WriteStartObject("quantization_config");
        json.WriteString("quant_method", "bitsandbytes");
        json.WriteBoolean("load_in_4bit", true);
        json.WriteBoolean("load_in_8bit", false);
        json.WriteString("bnb_4bit_quant_type", "nf4");
        json.WriteBoolean("bnb_4bit_use_double_quant", true);
        json.WriteString("bnb_4bit_compute_dtype", type.TorchName());
        json.WriteString("bnb_4bit_quant_storage", "uint8");
        json.WriteStartArray("llm_int8_skip_modules");
        foreach (string map in plainMaps)
        {
            json.WriteStringValue(map);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteTokens(Utf8JsonWriter json, GenerationDefaults generation)
    {
        if (generation.BeginToken is { } begin)
        {
            json.WriteNumber("bos_token_id", begin);
        }

        if (!generation.EndTokens.IsEmpty)
        {
            json.WriteStartArray("eos_token_id");
            foreach (int token in generation.EndTokens)
            {
                json.WriteNumberValue(token);
            }

            json.WriteEndArray();
        }
    }
}
