using LoraServe.Training.Reports;

namespace LoraServe.Jobs.Records;

/// <summary>A training job as its owner sees it.</summary>
public sealed record Job
{
    /// <summary>Names it.</summary>
    public required string Id { get; init; }

    /// <summary>Where it stands.</summary>
    public required JobStatus Status { get; init; }

    /// <summary>The tenant that started it.</summary>
    public string Owner { get; init; } = "";

    /// <summary>What was asked for.</summary>
    public required JobRequest Request { get; init; }

    /// <summary>Jobs that run before it, while it is queued.</summary>
    public int QueuePosition { get; init; }

    /// <summary>The last step; null before the first.</summary>
    public TrainingProgress? Progress { get; init; }

    /// <summary>The last step after which it was evaluated; null where there is none.</summary>
    public TrainingProgress? LastEvaluation { get; init; }

    /// <summary>Why it failed; empty where it did not.</summary>
    public string Error { get; init; } = "";

    /// <summary><c>name@version</c> of what was published; empty where nothing was.</summary>
    public string Adapter { get; init; } = "";

    /// <summary>What it cost and brought; set when it is trained, before it is published.</summary>
    public JobResult? Result { get; init; }

    /// <summary>When it was taken in.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it first ran.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it ended.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>Of a job that failed or was cancelled: until when it can be gone on with. Null: it cannot.</summary>
    public DateTimeOffset? ResumableUntil { get; init; }

    /// <summary>Rows that were read, as training will read them, before the job was taken in.</summary>
    public long CheckedRows { get; init; }

    /// <summary>Rows there are, of training and validation.</summary>
    public long TotalRows { get; init; }
}
