using System.Text.Json;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;

namespace LoraServe.Adapters.Peft;

/// <summary>Writes LoRA adapters as PEFT directories: <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>.</summary>
public static class PeftWriter
{
    private static readonly JsonWriterOptions s_readable = new() { Indented = true };

    /// <summary>Writes low-rank pairs; files that are there are replaced, the configuration last.</summary>
    /// <param name="directory">Made where it is missing.</param>
    /// <param name="pairs">At most one for each module of <paramref name="model"/>.</param>
    /// <param name="model">The base, for the modules' names.</param>
    /// <param name="baseModelName">What goes into <c>base_model_name_or_path</c>.</param>
    /// <param name="isBoundToBase">Whether the files say on which base exactly they were made, so that every other is refused, the same model in another quantisation too.</param>
    /// <exception cref="ArgumentException">There is no pair, or two at one module.</exception>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public static void Write(string directory, IReadOnlyCollection<LowRank> pairs, IBaseModel model, string? baseModelName = null, bool isBoundToBase = false)
    {
        ArgumentNullException.ThrowIfNull(directory);
        ArgumentNullException.ThrowIfNull(pairs);
        ArgumentNullException.ThrowIfNull(model);
        if (pairs.Count == 0)
        {
            throw new ArgumentException("There are no pairs to write.", nameof(pairs));
        }

        Dictionary<Site, LowRank> bySite = pairs.ToDictionary(pair => pair.Site);
        (BaseModule Module, LowRank Pair)[] entries = [.. model.Modules.Where(module => bySite.ContainsKey(module.Site)).Select(module => (module, bySite[module.Site]))];
        var metadata = new Dictionary<string, string> { ["format"] = "pt" };
        if (isBoundToBase)
        {
            metadata[AdapterFiles.BaseFingerprintKey] = model.Fingerprint;
        }

        Directory.CreateDirectory(directory);
        SafetensorsFile.Write(
            Path.Combine(directory, AdapterFiles.WeightsName),
            entries.SelectMany(entry => Tensors(entry.Module, entry.Pair)),
            metadata);
        string config = Path.Combine(directory, AdapterFiles.ConfigName);
        string partial = $"{config}.partial";
        File.WriteAllBytes(partial, Config(entries, model, baseModelName));
        File.Move(partial, config, overwrite: true);
    }

    private static IEnumerable<Tensor> Tensors(BaseModule module, LowRank pair)
    {
        string path = $"{AdapterFiles.PeftPrefix}{module.Path}";
        (string a, string b) = module.Site == Site.Embedding ? ("lora_embedding_A", "lora_embedding_B") : ("lora_A.weight", "lora_B.weight");
        yield return Tensor.FromFloats($"{path}.{a}", pair.A.Values, pair.A.Rows, pair.A.Columns);
        yield return Tensor.FromFloats($"{path}.{b}", pair.B.Values, pair.B.Rows, pair.B.Columns);
    }

    private static byte[] Config((BaseModule Module, LowRank Pair)[] entries, IBaseModel model, string? baseModelName)
    {
        int rank = entries[0].Pair.Rank;
        double alpha = Alpha(entries[0].Pair);
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, s_readable))
        {
            json.WriteStartObject();
            WritePattern(json, "alpha_pattern", entries.Where(entry => Alpha(entry.Pair) != alpha), pair => json.WriteNumberValue(Alpha(pair)));
            json.WriteString("base_model_name_or_path", baseModelName);
            json.WriteString("bias", "none");
            json.WriteBoolean("fan_in_fan_out", false);
            json.WriteBoolean("inference_mode", true);
            json.WriteBoolean("init_lora_weights", true);
            json.WriteNumber("lora_alpha", alpha);
            json.WriteNumber("lora_dropout", 0);
            json.WriteString("peft_type", PeftConfig.Lora);
            json.WriteNumber("r", rank);
            WritePattern(json, "rank_pattern", entries.Where(entry => entry.Pair.Rank != rank), pair => json.WriteNumberValue(pair.Rank));
            json.WriteStartArray("target_modules");
            foreach (string target in Targets(entries, model))
            {
                json.WriteStringValue(target);
            }

            json.WriteEndArray();
            json.WriteString("task_type", "CAUSAL_LM");
            json.WriteEndObject();
        }

        return stream.ToArray();
    }

    private static double Alpha(LowRank pair) => (double)pair.Scale * pair.Rank;

    private static void WritePattern(Utf8JsonWriter json, string name, IEnumerable<(BaseModule Module, LowRank Pair)> entries, Action<LowRank> writeValue)
    {
        json.WriteStartObject(name);
        foreach ((BaseModule module, LowRank pair) in entries)
        {
            json.WritePropertyName(module.Path);
            writeValue(pair);
        }

        json.WriteEndObject();
    }

    // A module's name stands for all modules of that name; where only some have a pair, they are listed by path.
    private static IEnumerable<string> Targets((BaseModule Module, LowRank Pair)[] entries, IBaseModel model) =>
        entries.GroupBy(entry => entry.Module.Name, entry => entry.Module.Path)
            .SelectMany(group => group.Count() == model.Modules.Count(module => module.Name == group.Key) ? [group.Key] : group.AsEnumerable())
            .Order(StringComparer.Ordinal);
}
