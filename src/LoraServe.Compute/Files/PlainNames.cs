using LoraServe.Compute.Tensors;

namespace LoraServe.Compute.Files;

/// <summary>Names of tensors as the plain model has them, whatever was around it when they were saved: compilers, trainers, larger models.</summary>
/// <param name="prefix">What stands before every path of the model.</param>
/// <param name="layers">What a layer's path begins with, up to its number, such as <c>model.layers.</c>.</param>
/// <param name="others">Paths of what is in no layer.</param>
public sealed class PlainNames(string prefix, string layers, IReadOnlyCollection<string> others)
{
    // Modules of PyTorch, Accelerate and DeepSpeed that hold another and add nothing to it.
    private static readonly HashSet<string> s_wrappers = new(StringComparer.Ordinal)
    {
        "_orig_mod", "module", "_fsdp_wrapped_module", "_checkpoint_wrapped_module", "_forward_module",
    };

    private readonly string _owner = layers[..(layers.IndexOf('.', StringComparison.Ordinal) + 1)];

    private string Inner => layers[_owner.Length..];

    /// <summary>The tensors by their plain names.</summary>
    /// <param name="tensors">By the names in the file.</param>
    /// <param name="file">The file, for messages.</param>
    /// <param name="notes">Gets what was taken off.</param>
    /// <exception cref="TensorFileException">Two tensors have one plain name.</exception>
    public IReadOnlyDictionary<string, Tensor> Of(IReadOnlyDictionary<string, Tensor> tensors, string file, List<string> notes)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        ArgumentNullException.ThrowIfNull(notes);
        var names = tensors.Keys.ToDictionary(name => name, name => Unwrapped(name), StringComparer.Ordinal);
        string[] taken = [.. tensors.Keys.Where(name => names[name] != name).SelectMany(name => name.Split('.').Where(s_wrappers.Contains)).Distinct().Order(StringComparer.Ordinal)];
        if (taken.Length > 0)
        {
            notes.Add($"{file}: names of tensors have {string.Join(", ", taken.Select(part => $"'{part}.'"))}, of what wrapped the model when it was saved; they are read without.");
        }

        Replant(names, file, notes);
        var plain = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach ((string name, string given) in names)
        {
            if (!plain.TryAdd(given, tensors[name]))
            {
                throw new TensorFileException(file, $"tensors '{plain[given].Name}' and '{name}' are both '{given}' without what wraps them; expected one");
            }
        }

        return plain;
    }

    private static string Unwrapped(string name) => name.Contains("module.", StringComparison.Ordinal) || name.Contains("_mod.", StringComparison.Ordinal)
        ? string.Join('.', name.Split('.').Where(part => !s_wrappers.Contains(part)))
        : name;

    /// <summary>Gives names the prefix that is expected, where all layers have another.</summary>
    private void Replant(Dictionary<string, string> names, string file, List<string> notes)
    {
        if (names.Values.Any(name => name.StartsWith(prefix + layers, StringComparison.Ordinal)))
        {
            return;
        }

        string[] inner = [Inner, .. others.Where(path => path.StartsWith(_owner, StringComparison.Ordinal)).Select(path => path[_owner.Length..] + '.')];
        if (Before(names.Values, layers) is { } around)
        {
            Change(names, around, rest => prefix + rest);
            Note(around + layers);
        }
        else if (Inner.Length > 0 && Before(names.Values, Inner) is { } before)
        {
            Change(names, before, rest => Array.Exists(inner, start => rest.StartsWith(start, StringComparison.Ordinal)) ? prefix + _owner + rest : prefix + rest);
            Note(before + Inner);
        }

        void Note(string found) => notes.Add($"{file}: names of tensors begin with '{found}' where '{prefix}{layers}' is expected; they are read as such.");
    }

    private static void Change(Dictionary<string, string> names, string begin, Func<string, string> plain)
    {
        foreach (string name in names.Keys.Where(name => names[name].StartsWith(begin, StringComparison.Ordinal)).ToArray())
        {
            names[name] = plain(names[name][begin.Length..]);
        }
    }

    /// <summary>What stands before <paramref name="part"/> and a number; null where that is not the same in all names that have it.</summary>
    private static string? Before(IEnumerable<string> names, string part)
    {
        string[] found = [.. names.Select(name => (Name: name, At: At(name, part))).Where(name => name.At >= 0).Select(name => name.Name[..name.At]).Distinct().Take(2)];
        return found.Length == 1 ? found[0] : null;
    }

    private static int At(string name, string part)
    {
        int at = name.IndexOf(part, StringComparison.Ordinal);
        return at >= 0 && (at == 0 || name[at - 1] == '.') && at + part.Length < name.Length && char.IsAsciiDigit(name[at + part.Length]) ? at : -1;
    }
}
