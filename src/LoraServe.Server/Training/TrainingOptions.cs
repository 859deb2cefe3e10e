using System.ComponentModel.DataAnnotations;

namespace LoraServe.Server.Training;

/// <summary>Where training jobs are kept, and how much of them. Configuration section <c>LoraServe:Training</c>.</summary>
public sealed class TrainingOptions
{
    /// <summary>Where jobs, uploaded rows, checkpoints and results lie, so that they survive a restart. Null: the server does not train.</summary>
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

    /// <summary>Jobs that train at the same time; their batches go through the base together.</summary>
    /// <value>4 by default.</value>
    [Range(1, 64)]
    public int MaxRunningJobs { get; set; } = 4;

    /// <summary>
    /// Ended jobs that are remembered, with their metrics, reports and unpublished results; the oldest beyond are forgotten and their
    /// folders deleted. A job whose adapter is served from its folder is kept until that is unloaded.
    /// </summary>
    /// <value>1,000 by default.</value>
    [Range(1, 1_000_000)]
    public int MaxEndedJobs { get; set; } = 1000;

    /// <summary>How often a job is begun again after the server ended without being stopped; a job that ends the server each time is given up.</summary>
    /// <value>3 by default.</value>
    [Range(1, 1000)]
    public int MaxAttempts { get; set; } = 3;

    /// <summary>Most bytes of one upload of rows.</summary>
    /// <value>1 GiB by default.</value>
    [Range(1, long.MaxValue)]
    public long MaxUploadBytes { get; set; } = 1L << 30;

    /// <summary>Most bytes of all uploads together. An upload goes with the last job that names it; of those that no job names, the oldest go first.</summary>
    /// <value>8 GiB by default.</value>
    [Range(1, long.MaxValue)]
    public long MaxStoredBytes { get; set; } = 8L << 30;
}
