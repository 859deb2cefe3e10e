using LoraServe.Serving.Requests;

namespace LoraServe.Serving.Store.Files;

/// <summary>The operator's folder of adapters: the only one that callers can load from, and where a name that is not known is looked up.</summary>
/// <param name="folder">The folder; null: there is none.</param>
internal sealed class AdapterRoot(string? folder)
{
    private const string Name = "adapter root";

    /// <summary>The path of a folder or file below it that a caller gives.</summary>
    /// <exception cref="EngineException">It leaves the root, or does not exist.</exception>
    public string Below(string relative) => RootedPath.Below(folder, relative, Name);

    /// <summary>Where the files of a name lie: the folder of that name, or the GGUF file; null where there are none.</summary>
    /// <param name="name">A valid name.</param>
    /// <exception cref="EngineException">It leads out of the root.</exception>
    public string? Find(string name) => EntryOf(name) is { } entry ? Below(entry) : null;

    /// <summary>Whether a name is that of something below the root, which is the operator's.</summary>
    /// <param name="name">A valid name.</param>
    public bool Has(string name) => EntryOf(name) is not null;

    private string? EntryOf(string name)
    {
        string[] entries = [name, $"{name}.gguf"];
        return folder is null ? null : entries.FirstOrDefault(entry => Path.Exists(Path.Combine(folder, entry)));
    }
}
