using System.Collections.Immutable;
using System.Text.Json;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Methods;
using LoraServe.Adapters.Peft;
using LoraServe.Compute.Files;

namespace LoraServe.Adapters;

/// <summary>Loads adapters from files and checks everything in them against the base.</summary>
public static class AdapterLoader
{
    /// <summary>Loads a PEFT directory or a GGUF adapter file.</summary>
    /// <param name="path">The directory or the file.</param>
    /// <param name="model">The base that it is to edit.</param>
    /// <param name="limits">What it may ask for; the defaults where null.</param>
    /// <exception cref="AdapterFormatException">It is missing, damaged, hostile, not supported, made for another base, or would change nothing.</exception>
    public static Adapter Load(string path, IBaseModel model, AdapterLimits? limits = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(model);
        limits ??= new AdapterLimits();
        try
        {
            return File.Exists(path) ? LoadGguf(path, model, limits) : LoadDirectory(path, model, limits);
        }
        catch (TensorFileException damaged)
        {
            throw new AdapterFormatException($"{damaged.Message}. Download or save the adapter again.", damaged);
        }
    }

    private static Adapter LoadDirectory(string directory, IBaseModel model, AdapterLimits limits)
    {
        AdapterFiles files = AdapterFiles.ReadDirectory(directory, limits);
        using JsonDocument document = PeftConfig.Parse(files);
        ConfigFields fields = PeftConfig.Fields(files, document);
        string type = PeftConfig.Type(fields);
        if (type != PeftConfig.Lora)
        {
            throw new AdapterFormatException($"{fields.File}: peft_type is {type}; supported is {PeftConfig.Lora} with its variants. Convert the adapter, or merge it into the base.");
        }

        LoraConfig config = LoraConfig.Read(fields);
        using SafetensorsFile weights = SafetensorsFile.Parse(files.Weights, files.WeightsPath);
        if (weights.Metadata.TryGetValue(AdapterFiles.BaseFingerprintKey, out string? fingerprint) && fingerprint != model.Fingerprint)
        {
            throw new AdapterFormatException($"{files.WeightsPath}: made on the base with fingerprint {Shown(fingerprint)}; this one's is {Shown(model.Fingerprint)}. Load it on the base it was made for, or make it again on this one.");
        }

        var tensors = new AdapterTensors(files.WeightsPath, weights.Tensors, AdapterFiles.PeftPrefix);
        return Finish(new Lora(config, tensors, model).Read(), model, limits, directory, files.Digest, files.Weights.LongLength, weights.Tensors.Count);
    }

    private static Adapter LoadGguf(string path, IBaseModel model, AdapterLimits limits)
    {
        string digest = AdapterFiles.DigestOf(path, limits, out long length);
        using GgufFile file = GgufFile.Open(path);
        return Finish(new GgufLora(file, model).Read(), model, limits, path, digest, length, file.Tensors.Count);
    }

    private static Adapter Finish(AdapterContent content, IBaseModel model, AdapterLimits limits, string location, string digest, long fileBytes, int tensorCount)
    {
        var squares = new SortedDictionary<string, double>(StringComparer.Ordinal);
        bool effective = content.Norms.Count > 0;
        foreach (ModuleEdits edits in content.Modules)
        {
            double norm = edits.DeltaNorm(model);
            effective |= norm > 0 || edits.Bias is not null;
            squares[edits.Module.Name] = squares.GetValueOrDefault(edits.Module.Name) + (norm * norm);
        }

        foreach (NormDelta norm in content.Norms)
        {
            string name = PathOf(model, norm.Site)[(PathOf(model, norm.Site).LastIndexOf('.') + 1)..];
            squares[name] = squares.GetValueOrDefault(name) + norm.Values.Sum(value => (double)value * value);
        }

        if (!effective && !limits.AllowNoEffect)
        {
            throw new AdapterFormatException($"{location}: would change nothing: every change that it makes is zero, as in an adapter that was never trained. Train it, or allow adapters without effect.");
        }

        int[] ranks = [.. content.Modules.Where(edits => edits.Pairs.Count > 0).Select(edits => edits.Pairs[0].Rank)];
        var report = new AdapterReport
        {
            Method = content.Method,
            MatchedModules = [.. content.Modules.Select(edits => edits.Module.Path), .. content.Norms.Select(norm => PathOf(model, norm.Site))],
            UnmatchedModules = content.Unmatched,
            MinimumRank = ranks.Length == 0 ? 0 : ranks.Min(),
            MaximumRank = ranks.Length == 0 ? 0 : ranks.Max(),
            DeltaNorms = squares.ToImmutableSortedDictionary(entry => entry.Key, entry => Math.Sqrt(entry.Value), StringComparer.Ordinal),
            FileBytes = fileBytes,
            TensorCount = tensorCount,
        };
        ImmutableArray<AdapterEdit> all = [.. content.Modules.SelectMany(edits => edits.Edits()), .. content.Norms];
        return new Adapter(all, content.InvocationTokens, digest, report);
    }

    // Enough to tell two apart, and no more of what a file says.
    private static string Shown(string fingerprint) => fingerprint.Length > 12 ? $"{fingerprint[..12]}…" : fingerprint;

    private static string PathOf(IBaseModel model, NormSite site) => model.Norms.First(norm => norm.Site == site).Path;
}
