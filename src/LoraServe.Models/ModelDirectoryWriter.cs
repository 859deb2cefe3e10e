using System.Text.Json;
using LoraServe.Adapters.Edits;
using LoraServe.Compute.Files;
using LoraServe.Models.Architectures;
using LoraServe.Models.Config;
using LoraServe.Models.Spec;

namespace LoraServe.Models;

/// <summary>Writes what a Hugging Face directory holds beside the weights, so that a model that was merged can be loaded there and elsewhere.</summary>
public static class ModelDirectoryWriter
{
    private const string ChatTemplateFile = "chat_template.jinja";
    private static readonly string[] s_tokenizerFiles = ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", ChatTemplateFile];
    private static readonly string[] s_configFiles = ["config.json", "generation_config.json"];
    private static readonly JsonWriterOptions s_readable = new() { Indented = true };

    /// <summary>Names of all files that lie beside a model's weights, as far as they are written here.</summary>
    public static IReadOnlyList<string> FileNames { get; } = [.. s_configFiles, .. s_tokenizerFiles];

    /// <summary>Writes config.json, generation_config.json and, where the model has one, its chat template.</summary>
    /// <param name="directory">Exists already.</param>
    /// <param name="model">The model whose shape the weights have; they are float32.</param>
    /// <param name="tiedHead">Whether the head still is the token table.</param>
    /// <exception cref="ModelFormatException">The model's rotary embedding has a form that only GGUF files have.</exception>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public static void Write(string directory, LoadedModel model, bool tiedHead)
    {
        ArgumentNullException.ThrowIfNull(model);
        WriteJson(Path.Combine(directory, s_configFiles[0]), json => WriteConfig(json, model, tiedHead));
        WriteJson(Path.Combine(directory, s_configFiles[1]), json => WriteTokens(json, model.Generation));
        if (model.ChatTemplateSource is { } template)
        {
            AtomicFile.WriteAllText(Path.Combine(directory, ChatTemplateFile), template);
        }
    }

    /// <summary>Copies the tokenizer's files of a Hugging Face directory. False where there is no tokenizer.json.</summary>
    /// <param name="source">The directory that has them; a path that is none has no tokenizer.</param>
    /// <param name="directory">The directory that gets them.</param>
    /// <exception cref="IOException">A file cannot be read or written.</exception>
    public static bool CopyTokenizer(string source, string directory)
    {
        foreach (string file in s_tokenizerFiles.Where(file => File.Exists(Path.Combine(source, file))))
        {
            using FileStream content = File.OpenRead(Path.Combine(source, file));
            AtomicFile.Write(Path.Combine(directory, file), content.CopyTo);
        }

        return File.Exists(Path.Combine(directory, s_tokenizerFiles[0]));
    }

    private static void WriteJson(string path, Action<Utf8JsonWriter> write) => AtomicFile.Write(path, file =>
    {
        using var json = new Utf8JsonWriter(file, s_readable);
        json.WriteStartObject();
        write(json);
        json.WriteEndObject();
    });

    private static void WriteConfig(Utf8JsonWriter json, LoadedModel model, bool tiedHead)
    {
        TransformerSpec spec = model.Transformer.Spec;
        json.WriteStartArray("architectures");
        json.WriteStringValue(Architecture.All.First(architecture => architecture.Name == spec.Architecture).ClassName);
        json.WriteEndArray();
        json.WriteString("model_type", spec.Architecture);
        json.WriteNumber("vocab_size", spec.VocabularySize);
        json.WriteNumber("hidden_size", spec.Width);
        json.WriteNumber("intermediate_size", spec.FeedForwardWidth);
        json.WriteNumber("num_hidden_layers", spec.LayerCount);
        json.WriteNumber("num_attention_heads", spec.QueryHeads);
        json.WriteNumber("num_key_value_heads", spec.KeyValueHeads);
        json.WriteNumber("head_dim", spec.HeadSize);
        json.WriteNumber("max_position_embeddings", spec.Rope.Scaling is RopeScaling.Linear or RopeScaling.Dynamic ? spec.Rope.OriginalContext : spec.ContextLength);
        json.WriteNumber("rms_norm_eps", spec.NormEpsilon);
        json.WriteString("hidden_act", "silu");
        json.WriteBoolean("tie_word_embeddings", tiedHead);
        json.WriteString("torch_dtype", "float32");
        json.WriteBoolean("attention_bias", spec.Biases.Contains(SiteRole.Output));
        json.WriteBoolean("mlp_bias", spec.Biases.Contains(SiteRole.Down));
        WriteWindows(json, spec);
        WriteRope(json, model);
        WriteTokens(json, model.Generation);
    }

    private static void WriteWindows(Utf8JsonWriter json, TransformerSpec spec)
    {
        int window = spec.Windows.Max();
        if (window > 0)
        {
            json.WriteBoolean("use_sliding_window", true);
            json.WriteNumber("sliding_window", window);
            json.WriteStartArray("layer_types");
            foreach (int width in spec.Windows)
            {
                json.WriteStringValue(width > 0 ? "sliding_attention" : "full_attention");
            }

            json.WriteEndArray();
        }
    }

    private static void WriteRope(Utf8JsonWriter json, LoadedModel model)
    {
        RopeSpec rope = model.Transformer.Spec.Rope;
        if (!rope.Divisors.IsEmpty)
        {
            throw new ModelFormatException(model.Name, "has rope divisors, which config.json cannot say; merge into the model's Hugging Face directory instead");
        }

        json.WriteNumber("rope_theta", rope.Theta);
        if (rope.Scaling == RopeScaling.None)
        {
            return;
        }

        json.WriteStartObject("rope_scaling");
        json.WriteString("rope_type", rope.Scaling.ToString().ToLowerInvariant());
        json.WriteNumber("factor", rope.Factor);
        switch (rope.Scaling)
        {
            case RopeScaling.Yarn:
                json.WriteNumber("original_max_position_embeddings", rope.OriginalContext);
                json.WriteNumber("beta_fast", rope.BetaFast);
                json.WriteNumber("beta_slow", rope.BetaSlow);
                json.WriteNumber("attention_factor", rope.AttentionFactor);
                json.WriteBoolean("truncate", rope.Truncate);
                break;
            case RopeScaling.Llama3:
                json.WriteNumber("original_max_position_embeddings", rope.OriginalContext);
                json.WriteNumber("low_freq_factor", rope.LowFrequencyFactor);
                json.WriteNumber("high_freq_factor", rope.HighFrequencyFactor);
                break;
        }

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
