using LoraServe.Serving.Store.Versions;

namespace LoraServe.Serving.Store;

/// <summary>What is true of one adapter version at the moment it is listed.</summary>
public sealed record AdapterRecord
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Its number under that name, from 1.</summary>
    public required int Version { get; init; }

    /// <summary>Whether the bare name means this version.</summary>
    public required bool IsLatest { get; init; }

    /// <summary>Aliases that point to it.</summary>
    public required IReadOnlyList<string> Aliases { get; init; }

    /// <summary>SHA-256 of its files, in lower-case hexadecimal.</summary>
    public required string Digest { get; init; }

    /// <summary>Who published it; empty where nobody said.</summary>
    public required string Owner { get; init; }

    /// <summary>Where it came from.</summary>
    public required AdapterSource Source { get; init; }

    /// <summary>What its files are known as: their path below the adapter root, the name of those that lie elsewhere, the adapter's of those that were sent.</summary>
    public required string Path { get; init; }

    /// <summary>How it was trained, such as <c>LoRA</c>.</summary>
    public required string Method { get; init; }

    /// <summary>For how many tasks it was trained; where there are several, requests name one: <c>name#2</c>.</summary>
    public required int Tasks { get; init; }

    /// <summary>Smallest rank of a low-rank edit.</summary>
    public required int MinimumRank { get; init; }

    /// <summary>Greatest rank of a low-rank edit.</summary>
    public required int MaximumRank { get; init; }

    /// <summary>The fastest place where it is.</summary>
    public required AdapterTier Tier { get; init; }

    /// <summary>Bytes of its weights file.</summary>
    public required long FileBytes { get; init; }

    /// <summary>Bytes in parsed form, whether or not it is in host memory now.</summary>
    public required long HostBytes { get; init; }

    /// <summary>Bytes in compute form, whether or not it is resident now.</summary>
    public required long ResidentBytes { get; init; }

    /// <summary>Whether it stays resident.</summary>
    public required bool IsPinned { get; init; }

    /// <summary>Requests that use it now, waiting ones included.</summary>
    public required int InUse { get; init; }

    /// <summary>Requests so far that found it resident.</summary>
    public required long Hits { get; init; }

    /// <summary>Requests so far that had to wait for a load.</summary>
    public required long Misses { get; init; }

    /// <summary>Seconds of the last load; 0 before the first.</summary>
    public required double LastLoadSeconds { get; init; }

    /// <summary>When it was published.</summary>
    public required DateTimeOffset PublishedAt { get; init; }

    /// <summary>When a request last used it; null: never.</summary>
    public required DateTimeOffset? LastUsedAt { get; init; }
}
