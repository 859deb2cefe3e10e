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

    /// <summary>Where it is and who uses it: residency's own, see there.</summary>
    public VersionState State { get; }

    public string Digest => Manifest.Digest;

    /// <summary>Bytes of its compute form that it shares with nobody.</summary>
    public long ResidentBytes => Manifest.ResidentBytes;

    public override string ToString() => $"{Manifest.Name}@{Manifest.Version}";
}
