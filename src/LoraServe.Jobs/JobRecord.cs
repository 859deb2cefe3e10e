using System.Threading.Channels;
using LoraServe.Jobs.Files;
using LoraServe.Jobs.Queue;
using LoraServe.Jobs.Records;
using LoraServe.Serving.Requests;
using LoraServe.Training.Reports;

namespace LoraServe.Jobs;

/// <summary>A job as it is now, and who watches it. Guarded by the lock of <see cref="TrainingJobs"/>.</summary>
internal sealed class JobRecord
{
    public JobRecord(JobState state)
    {
        State = state;
        Owner = new Principal(state.Job.Owner, state.IsAdmin);
        Progress = state.Job.Progress;
        LastEvaluation = state.Job.LastEvaluation;
    }

    public string Id => State.Job.Id;

    /// <summary>Who started it: what it uses and publishes is decided as for a call of theirs, also after a restart.</summary>
    public Principal Owner { get; }

    /// <summary>What is known of it, on the disk too unless <see cref="IsUnsaved"/>.</summary>
    public JobState State { get; set; }

    /// <summary>Whether the disk failed when the state should have been written.</summary>
    public bool IsUnsaved { get; set; }

    /// <summary>Held while it changes, the write included; taken before the lock of all jobs, never after it.</summary>
    public Lock Changing { get; } = new();

    /// <summary>The last step.</summary>
    public TrainingProgress? Progress { get; set; }

    /// <summary>The last step after which it was evaluated.</summary>
    public TrainingProgress? LastEvaluation { get; set; }

    /// <summary>Its place in the queue, from its start or its resumption to its end.</summary>
    public QueuedJob? Place { get; set; }

    /// <summary>Stops it while it runs.</summary>
    public CancellationTokenSource? Stop { get; set; }

    public List<Channel<JobEvent>> Watchers { get; } = [];

    /// <summary>Its state with the steps since, to make the next one of.</summary>
    public JobState Draft() => State with { Job = State.Job with { Progress = Progress, LastEvaluation = LastEvaluation } };
}
