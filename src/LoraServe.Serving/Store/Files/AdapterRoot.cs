using System.Globalization;
using LoraServe.Adapters;
using LoraServe.Adapters.Loading;
using LoraServe.Serving.Requests;

namespace LoraServe.Serving.Store.Files;

/// <summary>The operator's folder of adapters: the only one that callers can load from, and where a name that is not known is looked up.</summary>
/// <param name="folder">The folder; null: there is none.</param>
/// <param name="time">The clock.</param>
internal sealed class AdapterRoot(string? folder, TimeProvider time)
{
    private const string Name = "adapter root";

    private readonly Lock _lock = new();
    private readonly Dictionary<string, (long At, string Stamp)> _looks = new(StringComparer.Ordinal);

    /// <summary>How long a look is good for: what a request may be behind the disk, and all that looking costs.</summary>
    public static TimeSpan Interval { get; } = TimeSpan.FromSeconds(2);

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

    /// <summary>Whether it is time to look at the files of a name again.</summary>
    public bool IsDue(string name)
    {
        lock (_lock)
        {
            return !_looks.TryGetValue(name, out (long At, string Stamp) look) || time.GetElapsedTime(look.At) >= Interval;
        }
    }

    /// <summary>Looks at the files of a name: whether they were touched since the last look, by sizes and times alone. What they are, their digest says.</summary>
    /// <returns>Where they lie; null where they are those of the last look, so that what was refused is not tried twice, or cannot be looked at.</returns>
    /// <exception cref="EngineException">It leads out of the root.</exception>
    public string? Look(string name)
    {
        string? path = Find(name);
        string stamp = path is null ? "" : StampOf(path);
        lock (_lock)
        {
            string known = _looks.GetValueOrDefault(name).Stamp ?? "";
            _looks[name] = (time.GetTimestamp(), stamp.Length > 0 ? stamp : known);
            return stamp.Length > 0 && stamp != known ? path : null;
        }
    }

    private string StampOf(string path)
    {
        try
        {
            IEnumerable<FileInfo> files = Directory.Exists(path) ? AdapterLoader.FilesOf(path, new AdapterLimits { Root = folder }).Select(file => new FileInfo(file)) : [new FileInfo(path)];
            return string.Join(' ', files.Where(file => file.Exists).Select(file => string.Create(CultureInfo.InvariantCulture, $"{file.FullName}:{file.Length}:{file.LastWriteTimeUtc.Ticks}")));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private string? EntryOf(string name)
    {
        string[] entries = [name, $"{name}.gguf"];
        return folder is null ? null : entries.FirstOrDefault(entry => Path.Exists(Path.Combine(folder, entry)));
    }
}
