using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Peft;
using LoraServe.Compute.Tensors;

namespace LoraServe.Adapters.Methods.Lora;

/// <summary>Writes low-rank pairs as LoRA adapters in PEFT's form.</summary>
public static class PeftWriter
{
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
        AdapterWriter.Write(
            directory,
            Config(entries, model, baseModelName),
            entries.SelectMany(entry => Tensors(entry.Module, entry.Pair)),
            isBoundToBase ? model.Fingerprint : null);
    }

    private static IEnumerable<Tensor> Tensors(BaseModule module, LowRank pair)
    {
        string path = $"{AdapterFiles.PeftPrefix}{module.Path}";
        (string a, string b) = module.Site.IsTable ? ("lora_embedding_A", "lora_embedding_B") : ("lora_A.weight", "lora_B.weight");
        yield return Tensor.FromFloats($"{path}.{a}", pair.A.Values, pair.A.Rows, pair.A.Columns);
        yield return Tensor.FromFloats($"{path}.{b}", pair.B.Values, pair.B.Rows, pair.B.Columns);
    }

    private static JsonObject Config((BaseModule Module, LowRank Pair)[] entries, IBaseModel model, string? baseModelName)
    {
        int rank = entries[0].Pair.Rank;
        double alpha = Alpha(entries[0].Pair);
        return LoraMethod.Lora.NewConfig(model, new JsonObject
        {
            ["alpha_pattern"] = Pattern(entries.Where(entry => Alpha(entry.Pair) != alpha), pair => Alpha(pair)),
            ["base_model_name_or_path"] = baseModelName,
            ["lora_alpha"] = alpha,
            ["r"] = rank,
            ["rank_pattern"] = Pattern(entries.Where(entry => entry.Pair.Rank != rank), pair => pair.Rank),
            ["target_modules"] = new JsonArray([.. Targets(entries, model)]),
        });
    }

    private static double Alpha(LowRank pair) => (double)pair.Scale * pair.Rank;

    private static JsonObject Pattern(IEnumerable<(BaseModule Module, LowRank Pair)> entries, Func<LowRank, JsonNode> value) =>
        new(entries.Select(entry => KeyValuePair.Create<string, JsonNode?>(entry.Module.Path, value(entry.Pair))));

    // A module's name stands for all modules of that name; where only some have a pair, they are listed by path.
    private static IEnumerable<JsonNode> Targets((BaseModule Module, LowRank Pair)[] entries, IBaseModel model) =>
        entries.GroupBy(entry => entry.Module.Name, entry => entry.Module.Path)
            .SelectMany(group => group.Count() == model.Modules.Count(module => module.Name == group.Key) ? [group.Key] : group.AsEnumerable())
            .Order(StringComparer.Ordinal)
            .Select(target => (JsonNode)target);
}
