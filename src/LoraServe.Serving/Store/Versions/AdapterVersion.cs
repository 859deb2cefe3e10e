using LoraServe.Adapters;

namespace LoraServe.Serving.Store.Versions;

/// <summary>One immutable version of an adapter.</summary>
internal sealed class AdapterVersion
{
    public AdapterVersion(AdapterManifest manifest)
    {
        Manifest = manifest;
        State = new VersionState(this);
    }

    /// <summary>What never changes.</summary>
    public AdapterManifest Manifest { get; }

    /// <summary>Makes its parsed form, where it has no files: what a request combines. Null: its files say what it is.</summary>
    public Func<Task<Adapter>>? Make { get; init; }

    /// <summary>Where it is and who uses it: residency's own, see there.</summary>
    public VersionState State { get; }

    public string Digest => Manifest.Digest;

    /// <summary>Bytes of its compute form that it shares with nobody.</summary>
    public long ResidentBytes => Manifest.ResidentBytes;

    public override string ToString() => Make is null ? $"{Manifest.Name}@{Manifest.Version}" : $"{Manifest.Name} ({Manifest.Method})";
}
