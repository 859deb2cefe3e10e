using LoraServe.Jobs.Options;
using LoraServe.Serving.Requests;

namespace LoraServe.Jobs.Queue;

/// <summary>Jobs that are being taken in, that wait and that run: how many of whose may, and who is next. For one thread at a time.</summary>
internal sealed class JobQueue(TrainingOptions options)
{
    /// <summary>After which time to come back when the queue is full.</summary>
    private static readonly TimeSpan s_retry = TimeSpan.FromSeconds(30);

    private readonly List<QueuedJob> _reserved = [];
    private readonly List<QueuedJob> _waiting = []; // the oldest first
    private readonly List<QueuedJob> _running = [];
    private readonly Dictionary<string, long> _turns = [];
    private long _turn;

    /// <summary>Keeps a place for a job that is being taken in.</summary>
    /// <exception cref="EngineException">All places are taken, or all that its owner may have.</exception>
    public QueuedJob Reserve(string id, Principal owner)
    {
        // What ran when the server ended had its place before.
        QueuedJob[] taken = [.. _reserved, .. _waiting.Where(job => !job.WasRunning)];
        int own = taken.Count(job => job.Owner.Tenant == owner.Tenant);
        if (taken.Length >= options.MaxQueuedJobs)
        {
            throw Full($"{taken.Length} training jobs wait already, as many as may");
        }

        if (!owner.IsAdmin && own >= options.QueuedJobsPerTenant)
        {
            throw Full($"{own} training jobs of tenant '{owner.Tenant}' wait already, as many as may; the other places are for others (LoraServe:Training:MaxQueuedJobsPerTenant)");
        }

        var place = new QueuedJob(id, owner);
        _reserved.Add(place);
        return place;
    }

    /// <summary>A job waits, behind those of its owner that wait already.</summary>
    public void Add(QueuedJob job)
    {
        _reserved.Remove(job);
        _waiting.Add(job);
    }

    /// <summary>Gives back the place of a job that was not taken in; one that was keeps it.</summary>
    public void Cancel(QueuedJob job) => _reserved.Remove(job);

    /// <summary>A job neither waits nor runs any more.</summary>
    public void Remove(QueuedJob job)
    {
        _waiting.Remove(job);
        _running.Remove(job);
    }

    /// <summary>Waiting jobs as they will run, as far as can be seen now.</summary>
    public IReadOnlyList<QueuedJob> Order() => FairOrder.Of(_waiting, _running, _turns);

    /// <summary>Takes the next job, which runs then; null where nothing waits, or nothing more may run.</summary>
    public QueuedJob? Take()
    {
        if (_running.Count >= options.MaxRunningJobs || Order().FirstOrDefault(MayRun) is not { } next)
        {
            return null;
        }

        _waiting.Remove(next);
        _running.Add(next);
        _turns[next.Owner.Tenant] = ++_turn;
        return next;
    }

    private bool MayRun(QueuedJob job) => job.Owner.IsAdmin || _running.Count(other => other.Owner.Tenant == job.Owner.Tenant) < options.RunningJobsPerTenant;

    private static EngineException Full(string reason) => new(EngineError.QueueFull, $"{reason}. Come back when one has ended, or cancel one.") { RetryAfter = s_retry };
}
