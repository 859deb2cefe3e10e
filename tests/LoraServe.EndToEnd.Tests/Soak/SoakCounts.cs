using System.Collections.Concurrent;

namespace LoraServe.EndToEnd.Tests.Soak;

/// <summary>What became of all that callers did.</summary>
internal sealed class SoakCounts
{
    private int _answered;
    private int _refused;
    private int _abandoned;
    private int _changes;

    /// <summary>Requests with a right and complete answer.</summary>
    public int Answered => _answered;

    /// <summary>Requests and changes that the server refused for a good reason.</summary>
    public int Refused => _refused;

    /// <summary>Requests whose callers went away, or whose time was over.</summary>
    public int Abandoned => _abandoned;

    /// <summary>What should not have happened.</summary>
    public ConcurrentQueue<string> Faults { get; } = [];

    public void Answer() => Interlocked.Increment(ref _answered);

    public void Refuse() => Interlocked.Increment(ref _refused);

    public void Abandon() => Interlocked.Increment(ref _abandoned);

    /// <summary>An adapter was published, moved or taken out of service.</summary>
    public void Change() => Interlocked.Increment(ref _changes);

    public override string ToString() =>
        $"{_answered} answered, {_refused} refused, {_abandoned} abandoned, {_changes} changes of adapters, {Faults.Count} faults";
}
