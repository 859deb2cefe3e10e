using LoraServe.Adapters;
using LoraServe.Models.Forward;
using LoraServe.Serving.Requests;

namespace LoraServe.Serving.Store.Versions;

/// <summary>Where a version is and who uses it. Changed by <c>ResidencyLedger</c> and <c>AdapterMemory</c> only, under the latter's lock.</summary>
/// <remarks>It is resident, loading, asked for, or none of these; never two at once.</remarks>
internal sealed class VersionState(AdapterVersion version)
{
    /// <summary>Its place in the ledger's list of what is resident, or of what is asked for.</summary>
    public LinkedListNode<AdapterVersion> Node { get; } = new(version);

    /// <summary>Its compute form, while it is resident.</summary>
    public ResidentAdapter? Resident { get; set; }

    /// <summary>A compute form that waits for room, so that it need not be made of the files; only while it is published.</summary>
    public ResidentAdapter? Prepared { get; set; }

    /// <summary>Its parsed form, while it is in host memory; set by <c>HostTier</c>, under a lock of its own.</summary>
    public Adapter? Host { get; set; }

    /// <summary>Whether requests can run on it.</summary>
    public bool IsResident { get; set; }

    /// <summary>Whether it is becoming resident: its room is taken.</summary>
    public bool IsLoading { get; set; }

    /// <summary>Whether somebody wants it who cannot have it yet.</summary>
    public bool IsAsked { get; set; }

    /// <summary>Whether no new request may lease it, because another adapter needs its room.</summary>
    public bool IsDraining { get; set; }

    /// <summary>Whether the request whose turn it is runs on it.</summary>
    public bool IsInTurn { get; set; }

    public bool IsPinned { get; set; }

    /// <summary>Whether it is out of service: it goes when its last request ends.</summary>
    public bool IsRetired { get; set; }

    /// <summary>Whether its files go with it.</summary>
    public bool DeletesFiles { get; set; }

    /// <summary>Requests that name it, waiting or running.</summary>
    public int Users { get; set; }

    /// <summary>Requests that run on it.</summary>
    public int Leases { get; set; }

    /// <summary>Requests that found it resident when they came.</summary>
    public long Hits { get; set; }

    /// <summary>Requests that did not.</summary>
    public long Misses { get; set; }

    public double LastLoadSeconds { get; set; }

    public DateTimeOffset? LastUsedAt { get; set; }

    /// <summary>Why the last load failed, and when; null after one that did not.</summary>
    public (EngineException Reason, long At)? Failure { get; set; }

    /// <summary>The fastest place where it is.</summary>
    public AdapterTier Tier => IsResident ? AdapterTier.Resident : Host is not null ? AdapterTier.Host : AdapterTier.Disk;
}
