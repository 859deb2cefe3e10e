using System.Text.Json;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Store.Versions;

namespace LoraServe.Serving.Store.Names;

/// <summary>Reads a list of names entry by entry: one that is impossible is left out and named, and the others stand.</summary>
/// <param name="root">The file.</param>
/// <param name="takeIn">Takes in files of a version whose list says where they lie; gives what callers know them as.</param>
internal sealed class NamesReader(JsonElement root, Func<AdapterManifest, string, string> takeIn)
{
    private const int DigestLength = 64;

    // Where a version's files lie, in lists of older servers.
    private const string PathOfOlder = "Path";

    private readonly List<string> _faults = [];

    /// <summary>A sentence for each entry that was left out.</summary>
    public IReadOnlyList<string> Faults => _faults;

    /// <exception cref="InvalidOperationException">The file is no list at all.</exception>
    public AdapterNames Read()
    {
        Dictionary<string, string> owners = Texts(nameof(NamesFile.State.Owners));
        Dictionary<string, string> aliasOwners = Texts(nameof(NamesFile.State.AliasOwners));
        AdapterNames names = AdapterNames.Empty;
        foreach (IGrouping<string, AdapterManifest> name in Manifests().GroupBy(manifest => manifest.Name))
        {
            AdapterManifest[] manifests = [.. name.OrderBy(manifest => manifest.Version)];

            // Lists that give names no owner let whoever published first keep a name.
            string owner = owners.GetValueOrDefault(name.Key, manifests[0].Owner);
            names = names.WithEntry(name.Key, new NameEntry(owner, manifests[^1].Version, [.. manifests.Select(manifest => new AdapterVersion(manifest with { Owner = owner }))]));
        }

        Each(Properties(nameof(NamesFile.State.LastVersions)), property =>
        {
            AdapterName.Check(property.Name);
            int last = Number(property.Value.GetInt32());
            NameEntry entry = names.EntryOf(property.Name) ?? NameEntry.New with { Owner = owners.GetValueOrDefault(property.Name) };
            names = names.WithEntry(property.Name, entry with { LastVersion = Math.Max(last, entry.LastVersion) });
        });
        Each(Properties(nameof(NamesFile.State.Aliases)), property =>
        {
            CheckAlias(names, property.Name);
            AdapterVersion? target = names.Find(Principal.Operator, Text(property.Value));
            if ((aliasOwners.GetValueOrDefault(property.Name) ?? target?.Manifest.Owner) is { } owner)
            {
                names = names.WithEntry(property.Name, new AliasEntry(owner, target));
            }
        });
        foreach ((string alias, string owner) in aliasOwners)
        {
            Try($"{nameof(NamesFile.State.AliasOwners)}.{alias}", () =>
            {
                CheckAlias(names, alias);
                names = names.Knows(alias) ? names : names.WithEntry(alias, new AliasEntry(owner, null));
            });
        }

        Each(Items(nameof(NamesFile.State.Pinned)), element =>
            names = names.Find(Principal.Operator, Text(element)) is { } version ? names.WithPin(version, isPinned: true) : names);
        Each(Items(nameof(NamesFile.State.Kept)), element => names = names.WithKept([Text(element)]));
        Try(nameof(NamesFile.State.Generation), () =>
            names = names with { Generation = root.TryGetProperty(nameof(NamesFile.State.Generation), out JsonElement number) ? InRange(number.GetInt64(), 0, "count of changes") : 0 });
        return names;
    }

    private static void CheckAlias(AdapterNames names, string alias)
    {
        AdapterName.Check(alias);
        if (!names.VersionsOf(alias).IsEmpty)
        {
            throw new FormatException("it is an adapter's name too.");
        }
    }

    private static string Text(JsonElement element) => element.GetString() ?? throw new FormatException("it is null.");

    // There is always a next one.
    private static int Number(int version) => version is > 0 and < int.MaxValue ? version : throw new FormatException($"{version} is no version's number.");

    private static T InRange<T>(T value, T least, string what)
        where T : struct, IComparable<T> =>
        value.CompareTo(least) >= 0 ? value : throw new FormatException($"its {what} is {value}, expected at least {least}.");

    private static string Where(AdapterManifest manifest, string path) =>
        path.Length == 0 || path.Contains('\0', StringComparison.Ordinal) || (manifest.Source == AdapterSource.Upload && Path.GetFileName(path) is "" or "." or "..")
            ? throw new FormatException("its path is none.")
            : path;

    private static void Check(AdapterManifest manifest)
    {
        AdapterName.Check(manifest.Name);
        Number(manifest.Version);
        InRange(manifest.FileBytes, 0, "size");
        InRange(manifest.HostBytes, 0, "size in host memory");
        InRange(manifest.ResidentBytes, 0, "size in compute form");
        InRange(manifest.Tasks, 1, "number of tasks");
        InRange(manifest.VirtualRows, 0, "count of virtual rows");
        InRange(manifest.MinimumRank, 0, "smallest rank");
        InRange(manifest.MaximumRank, manifest.MinimumRank, "greatest rank");
        foreach (int token in manifest.InvocationTokens)
        {
            InRange(token, 0, "invocation token");
        }

        if (manifest.Digest.Length != DigestLength || !manifest.Digest.All(char.IsAsciiHexDigitLower))
        {
            throw new FormatException("its digest is not a SHA-256.");
        }

        if (!Enum.IsDefined(manifest.Source))
        {
            throw new FormatException("its source is unknown.");
        }
    }

    private List<AdapterManifest> Manifests()
    {
        var manifests = new List<AdapterManifest>();
        var seen = new HashSet<(string, int)>();
        Each(Items(nameof(NamesFile.State.Versions)), element =>
        {
            AdapterManifest manifest = element.Deserialize(NamesFile.StateJson.Default.AdapterManifest) ?? throw new FormatException("it is null.");
            Check(manifest);
            if (!seen.Add((manifest.Name, manifest.Version)))
            {
                throw new FormatException($"{manifest.Name}@{manifest.Version} is there twice.");
            }

            manifests.Add(element.TryGetProperty(PathOfOlder, out JsonElement path) ? manifest with { ShownPath = takeIn(manifest, Where(manifest, Text(path))) } : manifest);
        });
        return manifests;
    }

    private Dictionary<string, string> Texts(string section)
    {
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        Each(Properties(section), property => texts[property.Name] = Text(property.Value));
        return texts;
    }

    private void Each(IEnumerable<(string Place, JsonProperty Property)> properties, Action<JsonProperty> read)
    {
        foreach ((string place, JsonProperty property) in properties)
        {
            Try(place, () => read(property));
        }
    }

    private void Each(IEnumerable<(string Place, JsonElement Element)> elements, Action<JsonElement> read)
    {
        foreach ((string place, JsonElement element) in elements)
        {
            Try(place, () => read(element));
        }
    }

    private void Try(string place, Action read)
    {
        try
        {
            read();
        }
        catch (Exception fault) when (fault is JsonException or FormatException or InvalidOperationException or EngineException)
        {
            _faults.Add($"{place} is left out: {fault.Message}");
        }
    }

    private IEnumerable<(string Place, JsonElement Element)> Items(string section)
    {
        JsonElement[] items = [];
        Try(section, () => items = root.TryGetProperty(section, out JsonElement array) ? [.. array.EnumerateArray()] : []);
        return items.Select((element, index) => ($"{section}[{index}]", element));
    }

    private IEnumerable<(string Place, JsonProperty Property)> Properties(string section)
    {
        JsonProperty[] properties = [];
        Try(section, () => properties = root.TryGetProperty(section, out JsonElement table) ? [.. table.EnumerateObject()] : []);
        return properties.Select(property => ($"{section}.{property.Name}", property));
    }
}
