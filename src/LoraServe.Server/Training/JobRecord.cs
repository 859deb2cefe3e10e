using System.Threading.Channels;
using LoraServe.Serving;
using Proto = LoraServe.V1;

namespace LoraServe.Server.Training;

/// <summary>A job, and who watches it. Guarded by the lock of <see cref="TrainingJobs"/>.</summary>
internal sealed class JobRecord(Proto.TrainingJob job, Principal owner)
{
    /// <summary>What callers see of it.</summary>
    public Proto.TrainingJob Job { get; } = job;

    /// <summary>Who started it.</summary>
    public Principal Owner { get; } = owner;

    /// <summary>Times that it was begun, without those that a stop of the server ended.</summary>
    public int Attempts { get; set; }

    /// <summary>Where what it made lies, once it is trained; all that is left to do then is to publish it.</summary>
    public string? ResultFolder { get; set; }

    /// <summary>Stops it while it runs.</summary>
    public CancellationTokenSource? Stop { get; set; }

    /// <summary>Whether somebody wants it to end.</summary>
    public bool IsCancelRequested { get; set; }

    public List<Channel<Proto.TrainingEvent>> Watchers { get; } = [];

    public bool HasEnded => Job.Status is Proto.TrainingStatus.Succeeded or Proto.TrainingStatus.Failed or Proto.TrainingStatus.Cancelled;
}
