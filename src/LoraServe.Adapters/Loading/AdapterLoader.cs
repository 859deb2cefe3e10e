using System.Collections.Immutable;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Folding;
using LoraServe.Adapters.Gguf;
using LoraServe.Adapters.Methods;
using LoraServe.Adapters.Methods.Description;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;
using LoraServe.Compute.Files;

namespace LoraServe.Adapters.Loading;

/// <summary>Loads adapters from files and checks everything in them against the base.</summary>
public static class AdapterLoader
{
    /// <summary>Loads a PEFT, AdapterHub or mlx-lm directory, or a GGUF adapter file.</summary>
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

    /// <summary>The digest that loading the files would give, of their bytes alone: SHA-256 in lower-case hexadecimal.</summary>
    /// <param name="path">The directory or the file.</param>
    /// <param name="limits">What it may ask for; the defaults where null.</param>
    /// <exception cref="AdapterFormatException">It is missing, a pickle, or too large.</exception>
    public static string DigestOf(string path, AdapterLimits? limits = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        limits ??= new AdapterLimits();
        return File.Exists(path) ? AdapterFiles.DigestOf(path, limits, out _) : AdapterFiles.ReadDirectory(path, limits).Digest;
    }

    /// <summary>The paths of all files that an adapter's directory consists of, with those of the adapters that it is made of (X-LoRA) where these can be found.</summary>
    /// <param name="directory">The directory.</param>
    /// <param name="limits">What it may ask for; the defaults where null.</param>
    public static IReadOnlyList<string> FilesOf(string directory, AdapterLimits? limits = null)
    {
        ArgumentNullException.ThrowIfNull(directory);
        return AdapterFiles.PathsOf(directory, limits ?? new AdapterLimits());
    }

    private static Adapter LoadDirectory(string directory, IBaseModel model, AdapterLimits limits)
    {
        using var adapter = PeftAdapter.Open(directory, limits, model);
        DirectoryReader read = MethodTable.Reader(adapter.Fields);
        foreach (PeftAdapter each in (PeftAdapter[])[adapter, .. adapter.Inner])
        {
            CheckFingerprint(each, model);
        }

        int tensors = adapter.Stored.Count + adapter.Inner.Sum(inner => inner.Stored.Count);
        return Finish(read(adapter, model), model, limits, directory, adapter.Files.Digest, adapter.Files.AllLength, tensors, adapter.Notes);
    }

    private static void CheckFingerprint(PeftAdapter adapter, IBaseModel model)
    {
        if (adapter.BaseFingerprint is { } fingerprint && fingerprint != model.Fingerprint)
        {
            throw new AdapterFormatException($"{adapter.Files.WeightsPath}: made on the base with fingerprint {Shown(fingerprint)}; this one's is {Shown(model.Fingerprint)}. Load it on the base it was made for, or make it again on this one.");
        }
    }

    private static Adapter LoadGguf(string path, IBaseModel model, AdapterLimits limits)
    {
        string digest = AdapterFiles.DigestOf(path, limits, out long length);
        using GgufFile file = GgufFile.Open(path);
        return Finish(new GgufLora(file, model).Read(), model, limits, path, digest, length, file.Tensors.Count, []);
    }

    private static Adapter Finish(AdapterContent content, IBaseModel model, AdapterLimits limits, string location, string digest, long fileBytes, int tensorCount, IEnumerable<string> notes)
    {
        var squares = new SortedDictionary<string, double>(StringComparer.Ordinal);
        void Measure(string name, double norm) => squares[name] = squares.GetValueOrDefault(name) + (norm * norm);
        bool effective = content.Norms.Count > 0;
        foreach (ModuleEdits edits in content.Modules)
        {
            double norm = edits.DeltaNorm(model);
            effective |= norm > 0 || edits.Bias?.AsSpan().ContainsAnyExcept(0f) == true;
            Measure(edits.Module.Name, norm);
        }

        foreach (NormDelta norm in content.Norms)
        {
            string path = PathOf(model, norm.Site);
            Measure(path[(path.LastIndexOf('.') + 1)..], Math.Sqrt(norm.Values.Sum(value => (double)value * value)));
        }

        foreach (PlacedEdit placed in content.Placed)
        {
            effective |= placed.HasEffect;
            Measure(placed.Kind, placed.Norm);
        }

        if (!effective && !limits.AllowNoEffect)
        {
            throw new AdapterFormatException($"{location}: would change nothing: every change that it makes is zero, as in an adapter that was never trained. Train it, or allow adapters without effect.");
        }

        int[] ranks =
        [
            .. content.Modules.Where(edits => edits.Pairs.Count > 0 || edits.Shared is not null).Select(edits => edits.Shared?.Rank ?? edits.Pairs[0].Rank),
            .. content.Modules.SelectMany(edits => edits.Routed).Select(pair => pair.Rank),
        ];
        ImmutableArray<AdapterEdit> all = [.. content.Modules.SelectMany(edits => edits.Edits()), .. content.Norms, .. content.Placed.Select(placed => placed.Edit)];
        var report = new AdapterReport
        {
            Method = content.Method,
            MatchedModules = [.. content.Modules.Select(edits => edits.Module.Path), .. content.Norms.Select(norm => PathOf(model, norm.Site)), .. content.Placed.Select(placed => placed.Place)],
            UnmatchedModules = content.Unmatched,
            MinimumRank = ranks.Length == 0 ? 0 : ranks.Min(),
            MaximumRank = ranks.Length == 0 ? 0 : ranks.Max(),
            Tasks = all.OfType<VirtualTokens>().Select(tokens => tokens.Tasks).FirstOrDefault(1),
            VirtualRows = VirtualRowCount.Of(all),
            DeltaNorms = squares.ToImmutableSortedDictionary(entry => entry.Key, entry => Math.Sqrt(entry.Value), StringComparer.Ordinal),
            FileBytes = fileBytes,
            TensorCount = tensorCount,
            Notes = [.. notes],
        };
        return new Adapter(all, content.InvocationTokens, digest, report);
    }

    // Enough to tell two apart, and no more of what a file says.
    private static string Shown(string fingerprint) => fingerprint.Length > 12 ? $"{fingerprint[..12]}…" : fingerprint;

    private static string PathOf(IBaseModel model, NormSite site) => model.Norms.First(norm => norm.Site == site).Path;
}
