using System.Collections.Immutable;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Store.Versions;

namespace LoraServe.Serving.Store.Names;

/// <summary>Names and aliases, whose they are and which versions they mean, at one moment. It never changes: a change gives another one.</summary>
/// <remarks>
/// Whether somebody may use or change something is decided here, on the very version or entry that is taken. What belongs to another tenant
/// looks like what does not exist to those who would use it, and is refused as another's to those who would change it.
/// </remarks>
internal sealed record AdapterNames
{
    private ImmutableSortedDictionary<string, NameEntry> Names { get; init; } = ImmutableSortedDictionary.Create<string, NameEntry>(StringComparer.Ordinal);

    private ImmutableSortedDictionary<string, AliasEntry> AllAliases { get; init; } = ImmutableSortedDictionary.Create<string, AliasEntry>(StringComparer.Ordinal);

    /// <summary>Which change of the list they are, or were made of: only names that were made of those in service can take their place.</summary>
    public long Generation { get; init; }

    /// <summary>None.</summary>
    public static AdapterNames Empty { get; } = new();

    /// <summary>Versions that stay in memory.</summary>
    public ImmutableHashSet<AdapterVersion> Pinned { get; private init; } = [];

    /// <summary>Digests of files that callers sent whose versions are out of service, but whose files were to stay; older servers noted other names of theirs.</summary>
    public ImmutableHashSet<string> Kept { get; private init; } = [];

    /// <summary>Every name that was ever used.</summary>
    public IEnumerable<KeyValuePair<string, NameEntry>> Entries => Names;

    /// <summary>Every version in service, by name, then number.</summary>
    public IEnumerable<AdapterVersion> Versions => Names.Values.SelectMany(entry => entry.Versions);

    /// <summary>Every alias, also those that point nowhere now.</summary>
    public IEnumerable<KeyValuePair<string, AliasEntry>> Aliases => AllAliases;

    /// <summary>Whether a name or alias is in use, or was.</summary>
    public bool Knows(string name) => Names.ContainsKey(name) || AllAliases.ContainsKey(name);

    /// <summary>The version that <c>name</c>, <c>name@3</c> or an alias means; null where there is none that one may use.</summary>
    public AdapterVersion? Find(Principal who, string reference) =>
        Find(reference) is { } version && who.CanUse(version.Manifest.Owner) ? version : null;

    /// <summary>Finds what must be there.</summary>
    /// <exception cref="EngineException">There is none that one may use.</exception>
    public AdapterVersion Get(Principal who, string reference) => Find(who, reference) ?? throw Unknown(reference);

    /// <summary>Finds a version to change something about it.</summary>
    /// <exception cref="EngineException">There is none, or it is another's.</exception>
    public AdapterVersion GetToChange(Principal who, string reference)
    {
        (string name, _) = AdapterName.Split(reference);
        AdapterVersion? version = Find(reference);

        // Not even which numbers there are is told to others.
        string? owner = version?.Manifest.Owner ?? Names.GetValueOrDefault(name)?.Owner;
        if (owner is not null && (version is not null || !who.CanUse(owner)))
        {
            who.RequireChange($"Adapter '{reference}'", owner);
        }

        return version ?? throw Unknown(reference);
    }

    /// <summary>All versions of a name, or the one that <c>name@3</c> or an alias means, to change something about them.</summary>
    /// <exception cref="EngineException">There are none, or they are another's.</exception>
    public AdapterVersion[] GetAllToChange(Principal who, string reference)
    {
        AdapterVersion version = GetToChange(who, reference);
        return reference == version.Manifest.Name ? [.. VersionsOf(reference)] : [version];
    }

    public bool IsLatest(AdapterVersion version) => Names.TryGetValue(version.Manifest.Name, out NameEntry? entry) && !entry.Versions.IsEmpty && entry.Versions[^1] == version;

    public string[] AliasesOf(AdapterVersion version) => [.. AllAliases.Where(alias => alias.Value.Target == version).Select(alias => alias.Key)];

    /// <summary>The latest version of a name in service that has files with a digest; null where there is none.</summary>
    public AdapterVersion? FindByDigest(string name, string digest) => VersionsOf(name).LastOrDefault(version => version.Digest == digest);

    /// <summary>What there is of a name; null where nobody has used it.</summary>
    public NameEntry? EntryOf(string name) => Names.GetValueOrDefault(name);

    /// <summary>The name's versions in service, by number.</summary>
    public ImmutableArray<AdapterVersion> VersionsOf(string name) => Names.GetValueOrDefault(name, NameEntry.New).Versions;

    /// <summary>The number that the next version of a name gets.</summary>
    public int NextVersion(string name) => Names.GetValueOrDefault(name, NameEntry.New).LastVersion + 1;

    /// <summary>Whose the next version of a name is: the name's owner's, or who publishes it first.</summary>
    public string OwnerOfNext(Principal who, string name) => Names.GetValueOrDefault(name)?.Owner ?? who.Tenant;

    /// <summary>Refuses to publish under a name or with aliases that are taken, or when another version is the latest than expected.</summary>
    /// <exception cref="EngineException">It is refused.</exception>
    public void CheckPublish(Principal who, string name, PublishOptions options)
    {
        AdapterName.Check(name);
        RequireAccount(who);
        if (AllAliases.TryGetValue(name, out AliasEntry? taken))
        {
            who.RequireChange($"Alias '{name}'", taken.Owner);
            if (taken.Target is not null)
            {
                throw new EngineException(EngineError.AdapterExists, $"'{name}' is an alias. Publish under another name, or remove the alias first.");
            }
        }

        NameEntry entry = Names.GetValueOrDefault(name, NameEntry.New);
        if (entry.Owner is { } owner)
        {
            who.RequireChange($"Adapter '{name}'", owner);
        }

        foreach (string alias in options.Aliases)
        {
            CheckAlias(who, alias);
            if (alias == name)
            {
                throw IsName(alias);
            }
        }

        int latest = entry.Versions.IsEmpty ? 0 : entry.Versions[^1].Manifest.Version;
        if (options.ExpectedVersion is { } expected && expected != latest)
        {
            throw expected == 0
                ? new EngineException(EngineError.AdapterExists, $"'{name}' is there already, at version {latest}. Choose another name, or expect version {latest} to publish the next.")
                : new EngineException(EngineError.VersionConflict, $"The latest version of '{name}' is {latest}, not {expected}. Look at what was published meanwhile, then expect {latest}.");
        }
    }

    /// <summary>Refuses an alias that is a name, or another's.</summary>
    /// <exception cref="EngineException">It is refused.</exception>
    public void CheckAlias(Principal who, string alias)
    {
        AdapterName.Check(alias);
        RequireAccount(who);
        if (Names.TryGetValue(alias, out NameEntry? name))
        {
            if (name.Owner is { } owner)
            {
                who.RequireChange($"Adapter '{alias}'", owner);
            }

            if (!name.Versions.IsEmpty)
            {
                throw IsName(alias);
            }
        }

        if (AllAliases.TryGetValue(alias, out AliasEntry? taken))
        {
            who.RequireChange($"Alias '{alias}'", taken.Owner);
        }
    }

    /// <summary>With a version in service as the latest of its name, and aliases that point to it. All of it was checked.</summary>
    public AdapterNames With(Principal who, AdapterVersion version, IEnumerable<string> aliases, bool isPinned)
    {
        string name = version.Manifest.Name;
        NameEntry entry = Names.GetValueOrDefault(name, NameEntry.New);
        AdapterNames next = this with
        {
            Names = Names.SetItem(name, new NameEntry(version.Manifest.Owner, Math.Max(entry.LastVersion, version.Manifest.Version), entry.Versions.Add(version))),
            AllAliases = AllAliases.Remove(name), // one that points nowhere
            Pinned = isPinned ? Pinned.Add(version) : Pinned,
        };
        return aliases.Aggregate(next, (names, alias) => names.WithAlias(who, alias, version));
    }

    /// <summary>Without versions that are taken out of service. Aliases that pointed to them point nowhere.</summary>
    /// <param name="gone">The versions.</param>
    /// <param name="keepsFiles">Whether files that callers sent for them stay.</param>
    public AdapterNames Without(IReadOnlyCollection<AdapterVersion> gone, bool keepsFiles) => gone.Count == 0 ? this : this with
    {
        Kept = keepsFiles ? Kept.Union(gone.Select(version => version.Manifest).Where(manifest => manifest.Source == AdapterSource.Upload).Select(manifest => manifest.Digest)) : Kept,
        Names = gone.Select(version => version.Manifest.Name).Distinct().Aggregate(Names, (names, name) =>
            names.SetItem(name, names[name] with { Versions = names[name].Versions.RemoveRange(gone) })),
        AllAliases = AllAliases.SetItems(AllAliases.Where(alias => alias.Value.Target is { } target && gone.Contains(target))
            .Select(alias => KeyValuePair.Create(alias.Key, alias.Value with { Target = null }))),
        Pinned = Pinned.Except(gone),
    };

    /// <summary>With an alias that points to a version. Both were checked.</summary>
    public AdapterNames WithAlias(Principal who, string alias, AdapterVersion target) =>
        this with { AllAliases = AllAliases.SetItem(alias, new AliasEntry(AllAliases.GetValueOrDefault(alias)?.Owner ?? who.Tenant, target)) };

    /// <summary>Without an alias; nobody's then.</summary>
    /// <exception cref="EngineException">There is none, or it is another's.</exception>
    public AdapterNames WithoutAlias(Principal who, string alias, out AdapterVersion? target)
    {
        if (!AllAliases.TryGetValue(alias, out AliasEntry? entry))
        {
            throw new EngineException(EngineError.UnknownAdapter, $"There is no alias '{alias}'.");
        }

        who.RequireChange($"Alias '{alias}'", entry.Owner);
        target = entry.Target;
        return this with { AllAliases = AllAliases.Remove(alias) };
    }

    public AdapterNames WithPin(AdapterVersion version, bool isPinned) => this with { Pinned = isPinned ? Pinned.Add(version) : Pinned.Remove(version) };

    /// <summary>With a name as a list says.</summary>
    public AdapterNames WithEntry(string name, NameEntry entry) => this with { Names = Names.SetItem(name, entry) };

    /// <summary>With an alias as a list says.</summary>
    public AdapterNames WithEntry(string alias, AliasEntry entry) => this with { AllAliases = AllAliases.SetItem(alias, entry) };

    /// <summary>With files that stay.</summary>
    public AdapterNames WithKept(IEnumerable<string> digests) => this with { Kept = Kept.Union(digests) };

    private static EngineException Unknown(string reference) =>
        new(EngineError.UnknownAdapter, $"There is no adapter '{reference}'. List the adapters to see the names there are.");

    private static EngineException IsName(string alias) => new(EngineError.AdapterExists, $"'{alias}' is an adapter's name. Choose another alias.");

    // What nobody but an administrator publishes would be the operator's, for everybody.
    private static void RequireAccount(Principal who)
    {
        if (who is { IsAdmin: false, Tenant.Length: 0 })
        {
            throw new EngineException(EngineError.PermissionDenied, "Who has no tenant may not publish. Use a key that names one.");
        }
    }

    private AdapterVersion? Find(string reference)
    {
        (string name, int number) = AdapterName.Split(reference);
        if (number == 0 && AllAliases.TryGetValue(name, out AliasEntry? alias))
        {
            return alias.Target;
        }

        return !Names.TryGetValue(name, out NameEntry? entry) || entry.Versions.IsEmpty ? null
            : number == 0 ? entry.Versions[^1]
            : entry.Versions.FirstOrDefault(version => version.Manifest.Version == number);
    }
}
