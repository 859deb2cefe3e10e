using System.ComponentModel.DataAnnotations;
using LoraServe.Adapters;
using LoraServe.Compute.Tensors;
using LoraServe.Serving.Requests;

namespace LoraServe.Serving.Options;

/// <summary>Sizes and limits of an engine. Checked when the engine is made.</summary>
public sealed record EngineOptions
{
    /// <summary>Threads that compute, the loop's own included; 0 for one per physical core.</summary>
    [Range(0, 1024)]
    public int Workers { get; set; }

    /// <summary>Most token rows in one step, over all sequences. Larger favours throughput, smaller time to first token.</summary>
    /// <value>512 by default.</value>
    [Range(1, 65_536)]
    public int MaxBatchRows { get; set; } = 512;

    /// <summary>Most rows of logits in one step; each takes four bytes for every token of the vocabulary.</summary>
    /// <value>128 by default.</value>
    [Range(1, 65_536)]
    public int MaxLogitRows { get; set; } = 128;

    /// <summary>Most sequences that run at once; at most <see cref="MaxLogitRows"/> take effect.</summary>
    /// <value>128 by default.</value>
    [Range(1, 65_536)]
    public int MaxRunningSequences { get; set; } = 128;

    /// <summary>Memory of the key/value cache in bytes, rounded down to whole pages (at least one).</summary>
    /// <value>512 MiB by default.</value>
    [Range(1, long.MaxValue)]
    public long KvCacheBytes { get; set; } = 512L << 20;

    /// <summary>Element type of the key/value cache: F16, or F32 for twice the memory and no rounding.</summary>
    /// <value>Null by default: F16 in fast arithmetic, F32 in exact.</value>
    public ElementType? KvCacheType { get; set; }

    /// <summary>Whether pages are kept after a request for others with the same beginning.</summary>
    public bool PrefixCache { get; set; } = true;

    /// <summary>Whether tenants find each other's beginnings. Where they do, usage and the time to the first token tell a tenant whether another has sent a prompt that begins like its own.</summary>
    /// <value>False by default: each tenant finds its own.</value>
    public bool SharePrefixCache { get; set; }

    /// <summary>Most requests that may wait; more are refused with <see cref="EngineError.QueueFull"/>.</summary>
    /// <value>1024 by default.</value>
    [Range(1, 1_000_000)]
    public int MaxQueuedRequests { get; set; } = 1024;

    /// <summary>Most requests of one tenant that may wait.</summary>
    /// <value>
    /// Null by default: at most seven times the places that stay free then. A tenant alone gets seven eighths of the queue, several get equal
    /// parts, and one that has nothing waiting is always let in where there is a place.
    /// </value>
    [Range(1, 1_000_000)]
    public int? MaxQueuedRequestsPerTenant { get; set; }

    /// <summary>Most answers that one request may ask for.</summary>
    /// <value>16 by default.</value>
    [Range(1, 1024)]
    public int MaxChoices { get; set; } = 16;

    /// <summary>Most texts in one request to score or embed.</summary>
    /// <value>256 by default.</value>
    [Range(1, 65_536)]
    public int MaxTexts { get; set; } = 256;

    /// <summary>Longest text that is made into tokens, in UTF-16 units; a longer one is refused before it costs anything.</summary>
    /// <value>1,048,576 by default. What has more tokens than the context is refused afterwards.</value>
    [Range(1, int.MaxValue)]
    public int MaxTextLength { get; set; } = 1 << 20;

    /// <summary>Most adapters in one request's stack.</summary>
    /// <value>8 by default.</value>
    [Range(1, 64)]
    public int MaxStack { get; set; } = 8;

    /// <summary>Shares of tenants that are not 1: a tenant with 2 gets twice the tokens of one with 1 when both wait.</summary>
    public IReadOnlyDictionary<string, double> TenantWeights { get; set; } = new Dictionary<string, double>();

    /// <summary>Memory for adapters in compute form, in bytes. The store changes it while running.</summary>
    /// <value>1 GiB by default.</value>
    [Range(0, long.MaxValue)]
    public long AdapterBudgetBytes { get; set; } = 1L << 30;

    /// <summary>Memory for parsed adapters, from which they become resident quickly, in bytes.</summary>
    /// <value>1 GiB by default.</value>
    [Range(0, long.MaxValue)]
    public long HostAdapterBytes { get; set; } = 1L << 30;

    /// <summary>How long a request may wait for its adapter while requests for resident ones go first.</summary>
    /// <value>One second by default.</value>
    public TimeSpan MaxAdapterWait { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The only folder that callers can load adapters from; also where an unknown name is looked up. Null: none.</summary>
    public string? AdapterRoot { get; set; }

    /// <summary>Where uploads and the list of names are kept, so that they survive a restart. Null: names are lost, and uploads refused.</summary>
    public string? StoreFolder { get; set; }

    /// <summary>Most bytes of one upload.</summary>
    /// <value>4 GiB by default.</value>
    [Range(1, long.MaxValue)]
    public long MaxUploadBytes { get; set; } = 4L << 30;

    /// <summary>Most adapters that one merge combines.</summary>
    /// <value>32 by default.</value>
    [Range(1, 1024)]
    public int MaxMergedAdapters { get; set; } = 32;

    /// <summary>Most memory that a merge may take, its inputs included, in bytes. One runs at a time.</summary>
    /// <value>4 GiB by default.</value>
    [Range(1, long.MaxValue)]
    public long MergeBytes { get; set; } = 4L << 30;

    /// <summary>Combinations that requests ask for which are kept for those that ask again.</summary>
    /// <value>64 by default.</value>
    [Range(1, 65_536)]
    public int MaxRequestCombinations { get; set; } = 64;

    /// <summary>Versions kept of a name; older ones go when nothing runs on them, no alias points to them and they are not pinned.</summary>
    /// <value>16 by default.</value>
    [Range(1, 65_536)]
    public int MaxVersions { get; set; } = 16;

    /// <summary>Whether conversations with an adapter that brings its own chat template are put through that one.</summary>
    /// <value>True by default; else the base's template is kept.</value>
    public bool UseAdapterTemplates { get; set; } = true;

    /// <summary>What an adapter's files may ask of the process.</summary>
    public AdapterLimits AdapterLimits { get; set; } = new();

    /// <summary>Seed of the seeds that requests without one get; null: from the system.</summary>
    public ulong? Seed { get; set; }
}
