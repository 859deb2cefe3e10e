using LoraServe.Jobs.Records;

namespace LoraServe.Jobs.Files;

/// <summary>What is kept of a job. It is replaced as a whole: nobody changes one that others may be reading or writing to the disk.</summary>
/// <param name="Job">What callers see of it.</param>
/// <param name="IsAdmin">Whether an administrator started it.</param>
internal sealed record JobState(Job Job, bool IsAdmin)
{
    /// <summary>Times that it was begun since its last further checkpoint, without those that a stop of the server ended.</summary>
    public int Attempts { get; init; }

    /// <summary>The step of its furthest checkpoint when it was last begun.</summary>
    public int CheckpointedStep { get; init; }

    /// <summary>Whether somebody wants it to end.</summary>
    public bool IsCancelRequested { get; init; }

    /// <summary>Where what it made lies, once it is trained; all that is left to do then is to publish it.</summary>
    public string? ResultFolder { get; init; }

    public bool HasEnded => Job.Status is JobStatus.Succeeded or JobStatus.Failed or JobStatus.Cancelled;

    /// <summary>Whether it has ended and can be gone on with.</summary>
    public bool IsResumable => HasEnded && Job.ResumableUntil is not null;
}
