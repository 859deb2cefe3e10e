using LoraServe.Serving.Requests;

namespace LoraServe.Serving.Tests.Store.Names;

/// <summary>Whose names and aliases are, as plainly as it can be said: what the store must agree with.</summary>
internal sealed class OwnershipModel
{
    /// <summary>A name that is a folder below the adapter root.</summary>
    public const string BelowRoot = "root";

    private readonly Dictionary<string, (string Owner, int Last, int[] Versions)> _names = [];
    private readonly Dictionary<string, (string Owner, string? Target)> _aliases = [];

    private OwnershipModel(OwnershipModel? other)
    {
        if (other is not null)
        {
            _names = new(other._names);
            _aliases = new(other._aliases);
        }
    }

    public OwnershipModel()
        : this(null)
    {
    }

    public OwnershipModel Copy() => new(this);

    public string[] State() =>
    [
        .. _names.SelectMany(name => name.Value.Versions.Select(version => $"{name.Key}@{version} of {name.Value.Owner}")).Order(StringComparer.Ordinal),
        .. _aliases.Where(alias => alias.Value.Target is not null).Select(alias => $"{alias.Key} → {alias.Value.Target}").Order(StringComparer.Ordinal),
    ];

    public EngineError? CanPublish(Principal who, string name, string[] aliases)
    {
        if (_aliases.TryGetValue(name, out (string Owner, string? Target) alias))
        {
            if (!Changes(who, alias.Owner))
            {
                return EngineError.PermissionDenied;
            }

            if (alias.Target is not null)
            {
                return EngineError.AdapterExists;
            }
        }

        return _names.TryGetValue(name, out (string Owner, int, int[]) entry) && !Changes(who, entry.Owner) ? EngineError.PermissionDenied
            : aliases.Select(each => CanAlias(who, each) ?? (each == name ? EngineError.AdapterExists : null)).FirstOrDefault(error => error is not null)
            ?? (aliases.Append(name).Any(each => IsReserved(who, each)) ? EngineError.PermissionDenied : null);
    }

    public EngineError? Publish(Principal who, string name, string[] aliases)
    {
        if (CanPublish(who, name, aliases) is { } refusal)
        {
            return refusal;
        }

        (string owner, int last, int[] versions) = _names.GetValueOrDefault(name, (who.Tenant, 0, []));
        _names[name] = (owner, last + 1, [.. versions, last + 1]);
        _aliases.Remove(name);
        foreach (string alias in aliases)
        {
            Point(who, alias, $"{name}@{last + 1}");
        }

        return null;
    }

    public EngineError? SetAlias(Principal who, string alias, string target)
    {
        if (target.Length == 0)
        {
            if (!_aliases.TryGetValue(alias, out (string Owner, string? Target) there))
            {
                return EngineError.UnknownAdapter;
            }

            if (!Changes(who, there.Owner))
            {
                return EngineError.PermissionDenied;
            }

            _aliases.Remove(alias);
            return null;
        }

        if (CanAlias(who, alias) is { } refusal)
        {
            return refusal;
        }

        if (IsReserved(who, alias))
        {
            return EngineError.PermissionDenied;
        }

        if (CanChange(who, target, out string? version) is { } other)
        {
            return other;
        }

        Point(who, alias, version!);
        return null;
    }

    public EngineError? Unload(Principal who, string reference)
    {
        if (CanChange(who, reference, out string? version) is { } refusal)
        {
            return refusal;
        }

        string name = version!.Split('@')[0];
        int[] gone = reference == name ? _names[name].Versions : [int.Parse(version.Split('@')[1], System.Globalization.CultureInfo.InvariantCulture)];
        _names[name] = _names[name] with { Versions = [.. _names[name].Versions.Except(gone)] };
        foreach (string alias in _aliases.Where(alias => gone.Any(number => alias.Value.Target == $"{name}@{number}")).Select(alias => alias.Key).ToArray())
        {
            _aliases[alias] = _aliases[alias] with { Target = null };
        }

        return null;
    }

    public EngineError? Use(Principal who, string reference)
    {
        if (reference == BelowRoot && !_names.ContainsKey(BelowRoot) && !_aliases.ContainsKey(BelowRoot))
        {
            Publish(Principal.Operator, BelowRoot, []);
        }

        return Find(reference) is { } version && Uses(who, OwnerOf(version)) ? null : EngineError.UnknownAdapter;
    }

    private static bool Uses(Principal who, string owner) => who.IsAdmin || owner == "" || owner == who.Tenant;

    private static bool Changes(Principal who, string owner) => who.IsAdmin || (owner != "" && owner == who.Tenant);

    private static bool IsReserved(Principal who, string name) => name == BelowRoot && !who.IsAdmin;

    private EngineError? CanAlias(Principal who, string alias) =>
        _names.TryGetValue(alias, out (string Owner, int, int[] Versions) name) && !Changes(who, name.Owner) ? EngineError.PermissionDenied
        : name.Versions is { Length: > 0 } ? EngineError.AdapterExists
        : _aliases.TryGetValue(alias, out (string Owner, string?) taken) && !Changes(who, taken.Owner) ? EngineError.PermissionDenied
        : null;

    private EngineError? CanChange(Principal who, string reference, out string? version)
    {
        version = Find(reference);
        string? owner = version is not null ? OwnerOf(version) : _names.TryGetValue(reference.Split('@')[0], out (string Owner, int, int[]) name) ? name.Owner : null;
        return owner is not null && !Changes(who, owner) && (version is not null || !Uses(who, owner)) ? EngineError.PermissionDenied
            : version is null ? EngineError.UnknownAdapter
            : null;
    }

    private string OwnerOf(string version) => _names[version.Split('@')[0]].Owner;

    private string? Find(string reference)
    {
        string[] parts = reference.Split('@');
        return parts.Length == 1 && _aliases.TryGetValue(reference, out (string, string? Target) alias) ? alias.Target
            : !_names.TryGetValue(parts[0], out (string, int, int[] Versions) name) || name.Versions.Length == 0 ? null
            : parts.Length == 1 ? $"{reference}@{name.Versions[^1]}"
            : name.Versions.Any(version => reference == $"{parts[0]}@{version}") ? reference
            : null;
    }

    private void Point(Principal who, string alias, string version) => _aliases[alias] = (_aliases.TryGetValue(alias, out (string Owner, string?) there) ? there.Owner : who.Tenant, version);
}
