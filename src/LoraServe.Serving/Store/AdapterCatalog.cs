using LoraServe.Serving.Store.Residency;

namespace LoraServe.Serving.Store;

/// <summary>Names, their versions and aliases. Not synchronised.</summary>
internal sealed class AdapterCatalog
{
    private readonly SortedDictionary<string, List<AdapterVersion>> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _lastVersions = [];
    private readonly SortedDictionary<string, (string Name, int Version)> _aliases = new(StringComparer.Ordinal);

    /// <summary>Every version in service, by name, then number.</summary>
    public IEnumerable<AdapterVersion> Versions => _names.Values.SelectMany(versions => versions);

    public IReadOnlyDictionary<string, (string Name, int Version)> Aliases => _aliases;

    /// <summary>The number of each name's last version, also of names out of service: a number never means two things.</summary>
    public IReadOnlyDictionary<string, int> LastVersions => _lastVersions;

    /// <summary>Finds <c>name</c>, <c>name@3</c> or an alias; null when there is none.</summary>
    public AdapterVersion? Find(string reference)
    {
        (string name, int number) = AdapterName.Split(reference);
        if (number == 0 && _aliases.TryGetValue(name, out (string Name, int Version) target))
        {
            (name, number) = target;
        }

        return !_names.TryGetValue(name, out List<AdapterVersion>? versions) ? null
            : number == 0 ? versions[^1]
            : versions.Find(version => version.Manifest.Version == number);
    }

    /// <summary>Finds what must be there.</summary>
    public AdapterVersion Get(string reference) => Find(reference) ?? throw Unknown(reference);

    /// <summary>All versions of a name, or the one that <c>name@3</c> means.</summary>
    public AdapterVersion[] GetAll(string reference)
    {
        (string name, int number) = AdapterName.Split(reference);
        return number == 0 && _names.TryGetValue(name, out List<AdapterVersion>? versions) ? [.. versions] : [Get(reference)];
    }

    public bool IsLatest(AdapterVersion version) =>
        _names.TryGetValue(version.Manifest.Name, out List<AdapterVersion>? versions) && versions[^1] == version;

    public string[] AliasesOf(AdapterVersion version) =>
        [.. _aliases.Where(alias => alias.Value == (version.Manifest.Name, version.Manifest.Version)).Select(alias => alias.Key)];

    /// <summary>Refuses to publish under a name when another version is the latest than the caller expects.</summary>
    public void CheckPublish(string name, PublishOptions options)
    {
        AdapterName.Check(name);
        if (_aliases.ContainsKey(name))
        {
            throw new EngineException(EngineError.AdapterExists, $"'{name}' is an alias. Publish under another name, or remove the alias first.");
        }

        foreach (string alias in options.Aliases)
        {
            CheckAlias(alias);
        }

        int latest = _names.TryGetValue(name, out List<AdapterVersion>? versions) ? versions[^1].Manifest.Version : 0;
        if (options.ExpectedVersion is { } expected && expected != latest)
        {
            throw expected == 0
                ? new EngineException(EngineError.AdapterExists, $"'{name}' is there already, at version {latest}. Choose another name, or expect version {latest} to publish the next.")
                : new EngineException(EngineError.VersionConflict, $"The latest version of '{name}' is {latest}, not {expected}. Look at what was published meanwhile, then expect {latest}.");
        }
    }

    /// <summary>The number that the next version of a name gets.</summary>
    public int NextVersion(string name) => _lastVersions.GetValueOrDefault(name) + 1;

    /// <summary>Puts a version into service as the latest of its name.</summary>
    public void Add(AdapterVersion version)
    {
        string name = version.Manifest.Name;
        if (!_names.TryGetValue(name, out List<AdapterVersion>? versions))
        {
            _names.Add(name, versions = []);
        }

        versions.Add(version);
        NoteVersion(name, version.Manifest.Version);
    }

    /// <summary>Notes that a number has been used.</summary>
    public void NoteVersion(string name, int number) => _lastVersions[name] = Math.Max(number, _lastVersions.GetValueOrDefault(name));

    /// <summary>Takes a version out of service, with the aliases that point to it.</summary>
    public void Remove(AdapterVersion version)
    {
        string name = version.Manifest.Name;
        foreach (string alias in AliasesOf(version))
        {
            _aliases.Remove(alias);
        }

        List<AdapterVersion> versions = _names[name];
        versions.Remove(version);
        if (versions.Count == 0)
        {
            _names.Remove(name);
        }
    }

    /// <summary>Points an alias to a version.</summary>
    public void SetAlias(string alias, AdapterVersion version)
    {
        CheckAlias(alias);
        _aliases[alias] = (version.Manifest.Name, version.Manifest.Version);
    }

    public bool RemoveAlias(string alias) => _aliases.Remove(alias);

    private static EngineException Unknown(string reference) =>
        new(EngineError.UnknownAdapter, $"There is no adapter '{reference}'. List the adapters to see the names there are.");

    private void CheckAlias(string alias)
    {
        AdapterName.Check(alias);
        if (_names.ContainsKey(alias))
        {
            throw new EngineException(EngineError.AdapterExists, $"'{alias}' is an adapter's name. Choose another alias.");
        }
    }
}
