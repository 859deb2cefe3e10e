using LoraServe.Serving.Requests;

namespace LoraServe.Jobs.Queue;

/// <summary>A job's place in the queue. Places are told apart as objects: a job that is resumed has a new one.</summary>
/// <param name="id">The job.</param>
/// <param name="owner">Whose it is.</param>
/// <param name="wasRunning">Whether it ran when the server ended.</param>
internal sealed class QueuedJob(string id, Principal owner, bool wasRunning = false)
{
    public string Id { get; } = id;

    public Principal Owner { get; } = owner;

    public bool WasRunning { get; } = wasRunning;
}
