using LoraServe.Adapters;
using LoraServe.Adapters.Resident;

namespace LoraServe.Serving.Store.Residency;

/// <summary>One immutable version of an adapter, and where it is now.</summary>
internal sealed class AdapterVersion(AdapterManifest manifest)
{
    /// <summary>What never changes.</summary>
    public AdapterManifest Manifest { get; } = manifest;

    public string Digest => Manifest.Digest;

    public long ResidentBytes => Manifest.ResidentBytes;

    // What follows changes under the lock of AdapterMemory.

    /// <summary>Its compute form, while it is resident.</summary>
    public ResidentAdapter? Resident { get; set; }

    /// <summary>Its parsed form, while it is in host memory; set by <see cref="HostTier"/>.</summary>
    public Adapter? Host { get; set; }

    /// <summary>Whether it is becoming resident.</summary>
    public bool IsLoading { get; set; }

    /// <summary>Bytes that are kept for it while it is becoming resident.</summary>
    public long ReservedBytes { get; set; }

    public bool IsPinned { get; set; }

    /// <summary>Whether it is out of service: it goes when its last request ends.</summary>
    public bool IsRetired { get; set; }

    /// <summary>Whether its files go with it.</summary>
    public bool DeletesFiles { get; set; }

    /// <summary>Whether no new request may lease it, because another adapter needs its room.</summary>
    public bool IsDraining { get; set; }

    /// <summary>Requests that name it, waiting or running.</summary>
    public int Users { get; set; }

    /// <summary>Requests that run on it.</summary>
    public int Leases { get; set; }

    /// <summary>Place in the order of use; greatest is latest.</summary>
    public long LastUse { get; set; }

    public DateTimeOffset? LastUsedAt { get; set; }

    public long Hits { get; set; }

    public long Misses { get; set; }

    public double LastLoadSeconds { get; set; }

    /// <summary>Why the last load failed, and when; null after one that did not.</summary>
    public (EngineException Reason, long At)? Failure { get; set; }

    public AdapterTier Tier => Resident is not null ? AdapterTier.Resident : Host is not null ? AdapterTier.Host : AdapterTier.Disk;

    public override string ToString() => $"{Manifest.Name}@{Manifest.Version}";
}
