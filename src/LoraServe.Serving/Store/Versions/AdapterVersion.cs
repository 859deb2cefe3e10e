namespace LoraServe.Serving.Store.Versions;

/// <summary>One immutable version of an adapter.</summary>
internal sealed class AdapterVersion
{
    public AdapterVersion(AdapterManifest manifest, string shownPath)
    {
        Manifest = manifest;
        ShownPath = shownPath;
        State = new VersionState(this);
    }

    /// <summary>What never changes.</summary>
    public AdapterManifest Manifest { get; }

    /// <summary>What callers are told instead of where its files lie.</summary>
    public string ShownPath { get; }

    /// <summary>Where it is and who uses it: residency's own, see there.</summary>
    public VersionState State { get; }

    public string Digest => Manifest.Digest;

    /// <summary>Bytes of its compute form that it shares with nobody.</summary>
    public long ResidentBytes => Manifest.ResidentBytes;

    /// <summary>A message as callers get it: with what they know its files as instead of where those lie.</summary>
    public string WithoutPaths(string message) => message.Replace(Manifest.Path, ShownPath, StringComparison.Ordinal);

    public override string ToString() => $"{Manifest.Name}@{Manifest.Version}";
}
