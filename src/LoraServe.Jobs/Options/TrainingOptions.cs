using System.ComponentModel.DataAnnotations;

namespace LoraServe.Jobs.Options;

/// <summary>Where training jobs are kept, and how much of them. Configuration section <c>LoraServe:Training</c>.</summary>
public sealed class TrainingOptions
{
    /// <summary>Where jobs, uploaded rows, checkpoints and results lie, so that they survive a restart. One server at a time. Null: the server does not train.</summary>
    public string? StateFolder { get; set; }

    /// <summary>The only folder that administrators can name files to train on in. Null: rows come by upload only.</summary>
    public string? DataRoot { get; set; }

    /// <summary>Share of the time that training may compute. It takes what requests leave of the processor in any case.</summary>
    /// <value>1 by default.</value>
    [Range(0.01, 1)]
    public double Share { get; set; } = 1;

    /// <summary>Jobs that may wait; more are refused.</summary>
    /// <value>16 by default.</value>
    [Range(1, 100_000)]
    public int MaxQueuedJobs { get; set; } = 16;

    /// <summary>Jobs of one tenant that may wait; administrators' are bounded by <see cref="MaxQueuedJobs"/> alone.</summary>
    /// <value>Null, the default: half of <see cref="MaxQueuedJobs"/>, so that others always find a place.</value>
    [Range(1, 100_000)]
    public int? MaxQueuedJobsPerTenant { get; set; }

    /// <summary>Jobs that train at the same time; their batches go through the base together. Tenants take turns.</summary>
    /// <value>4 by default.</value>
    [Range(1, 64)]
    public int MaxRunningJobs { get; set; } = 4;

    /// <summary>Jobs of one tenant that train at the same time; administrators' are bounded by <see cref="MaxRunningJobs"/> alone.</summary>
    /// <value>Null, the default: half of <see cref="MaxRunningJobs"/>.</value>
    [Range(1, 64)]
    public int? MaxRunningJobsPerTenant { get; set; }

    /// <summary>
    /// Ended jobs that are remembered, with their metrics, reports and unpublished results; beyond, the oldest of the tenant that has most are
    /// forgotten and their folders deleted. Not counted, and kept as long as that holds: a job whose adapter is served from its folder, and one
    /// that can be resumed.
    /// </summary>
    /// <value>1,000 by default.</value>
    [Range(1, 1_000_000)]
    public int MaxEndedJobs { get; set; } = 1000;

    /// <summary>
    /// How often a job is begun again after the server ended without being stopped and the job had come no further than the checkpoint it began
    /// with; a job that ends the server each time fails then. One that comes further is begun as often as it takes.
    /// </summary>
    /// <value>3 by default.</value>
    [Range(1, 1000)]
    public int MaxAttempts { get; set; } = 3;

    /// <summary>How long a job that failed or was cancelled keeps its rows and checkpoints, so that it can be resumed. 0: it cannot.</summary>
    /// <value>7 days by default.</value>
    [Range(typeof(TimeSpan), "00:00:00", "3650.00:00:00")]
    public TimeSpan KeepFailedFor { get; set; } = TimeSpan.FromDays(7);

    /// <summary>Jobs of one tenant that are kept to be resumed; of more, those that ended first keep their rows and checkpoints no longer.</summary>
    /// <value>16 by default.</value>
    [Range(1, 100_000)]
    public int MaxResumableJobsPerTenant { get; set; } = 16;

    /// <summary>How long the rows of a job are looked at before it is taken in. Those that come after are looked at when the job reads them.</summary>
    /// <value>10 seconds by default.</value>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan MaxRowCheckTime { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Most bytes of one upload of rows.</summary>
    /// <value>1 GiB by default.</value>
    [Range(1, long.MaxValue)]
    public long MaxUploadBytes { get; set; } = 1L << 30;

    /// <summary>
    /// Most bytes of all uploads together. An upload goes with the last job that names it. Where there is no room for another, first those go that no
    /// job names, the oldest first, then those that jobs of the same tenant which failed or were cancelled keep to be resumed.
    /// </summary>
    /// <value>8 GiB by default.</value>
    [Range(1, long.MaxValue)]
    public long MaxStoredBytes { get; set; } = 8L << 30;

    /// <summary>Most bytes of one tenant's uploads; administrators' are bounded by <see cref="MaxStoredBytes"/> alone.</summary>
    /// <value>Null, the default: half of <see cref="MaxStoredBytes"/>.</value>
    [Range(1, long.MaxValue)]
    public long? MaxStoredBytesPerTenant { get; set; }

    internal int QueuedJobsPerTenant => MaxQueuedJobsPerTenant ?? Math.Max(1, MaxQueuedJobs / 2);

    internal int RunningJobsPerTenant => MaxRunningJobsPerTenant ?? Math.Max(1, MaxRunningJobs / 2);

    internal long StoredBytesPerTenant => MaxStoredBytesPerTenant ?? Math.Max(1, MaxStoredBytes / 2);
}
