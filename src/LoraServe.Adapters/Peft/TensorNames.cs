using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;

namespace LoraServe.Adapters.Peft;

/// <summary>Names of an adapter's tensors as PEFT's save_pretrained writes them, whoever wrote them.</summary>
internal static class TensorNames
{
    private const string Default = "default";
    private const string Whole = "modules_to_save";
    private const string Original = "original_module";
    private static readonly string[] s_endings = ["weight", "bias"];
    private static readonly string[] s_pairs = ["lora_A", "lora_B", "lora_embedding_A", "lora_embedding_B"];

    /// <summary>The tensors by those names.</summary>
    /// <param name="tensors">By the names in the file.</param>
    /// <param name="file">The file, for messages.</param>
    /// <param name="model">The base, whose paths the names have.</param>
    /// <param name="notes">Gets what was taken off.</param>
    /// <exception cref="TensorFileException">Two tensors have one name.</exception>
    public static IReadOnlyDictionary<string, Tensor> Of(IReadOnlyDictionary<string, Tensor> tensors, string file, IBaseModel model, List<string> notes)
    {
        if (tensors.Keys.FirstOrDefault(name => name.Contains("flat_param", StringComparison.Ordinal)) is { } flat)
        {
            throw new TensorFileException(file, $"tensor '{flat}' is FSDP's flat form of many parameters, which cannot be told apart; gather the full state before saving");
        }

        string[] others =
        [
            .. model.Modules.Where(module => module.Site.IsTable || module.Site.Role == SiteRole.Head).Select(module => module.Path),
            .. model.Norms.Where(norm => norm.Site.Role == NormRole.Final).Select(norm => norm.Path),
        ];
        string first = model.Modules.First(module => !module.Site.IsTable && module.Site.Role != SiteRole.Head).Path;
        int number = Array.FindIndex(first.Split('.'), part => part.All(char.IsAsciiDigit));
        string layers = string.Concat(first.Split('.').Take(number).Select(part => part + '.'));
        return WithoutAdapterName(new PlainNames(AdapterFiles.PeftPrefix, layers, others).Of(tensors, file, notes), file, notes);
    }

    /// <summary>Takes off the adapter's name, which the modules have in memory and save_pretrained leaves out.</summary>
    private static IReadOnlyDictionary<string, Tensor> WithoutAdapterName(IReadOnlyDictionary<string, Tensor> tensors, string file, List<string> notes)
    {
        string[] adapters = [.. tensors.Keys.Select(AdapterName).OfType<string>().Distinct().Order(StringComparer.Ordinal)];
        if (adapters.Length == 0)
        {
            return tensors;
        }

        if (adapters.Length > 1)
        {
            throw new TensorFileException(file, $"holds several adapters, {string.Join(", ", adapters.Take(4).Select(name => $"'{name}'"))}; expected one. Save each into a directory of its own");
        }

        string adapter = adapters[0];
        notes.Add($"{file}: names of tensors have the adapter's name, '{adapter}.'; they are read without.");
        var plain = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach ((string name, Tensor tensor) in tensors)
        {
            string[] parts = name.Split('.');
            if (parts.Contains(Original))
            {
                continue; // the base's own, of which PEFT keeps a copy
            }

            string given = string.Join('.', parts.Where((part, at) => part != Whole && !(part == adapter && at > 0 && (part == Default || parts[at - 1] == Whole || IsOfMethod(parts[at - 1])))));
            if (!plain.TryAdd(given, tensor))
            {
                throw new TensorFileException(file, $"tensors '{plain[given].Name}' and '{name}' are both '{given}' without the adapter's name; expected one");
            }
        }

        return plain;
    }

    private static string? AdapterName(string name)
    {
        string[] parts = name.Split('.');
        if (parts.Contains(Default))
        {
            return Default;
        }

        int at = Array.FindIndex(parts, part => s_pairs.Contains(part) || part == Whole);
        return at >= 0 && at + 1 < parts.Length && !s_endings.Contains(parts[at + 1]) ? parts[at + 1] : null;
    }

    private static bool IsOfMethod(string part) => part.Contains("lora", StringComparison.Ordinal) || part.Contains("trainable_tokens", StringComparison.Ordinal);
}
