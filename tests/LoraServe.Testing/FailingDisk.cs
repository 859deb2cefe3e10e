using LoraServe.Compute.Files;

namespace LoraServe.Testing;

/// <summary>A disk that fails at a chosen step of <see cref="AtomicFile"/>, for what the test itself calls from now until it is disposed.</summary>
/// <remarks>It flows with asynchronous calls, and into threads and tasks that are started meanwhile; not into those that run already.</remarks>
public sealed class FailingDisk : IDisposable
{
    private readonly Action<DiskStep, string>? _outer = AtomicFile.Before.Value;
    private readonly int _failAt;
    private readonly bool _staysBroken;
    private readonly Func<string, bool> _concerns;
    private int _steps;

    /// <summary>Begins to fail.</summary>
    /// <param name="failAt">The step that fails, counted from 1; 0: none, which counts only.</param>
    /// <param name="staysBroken">Whether all that follow fail too, as on a full disk.</param>
    /// <param name="concerns">The paths that count; null for all.</param>
    public FailingDisk(int failAt, bool staysBroken = false, Func<string, bool>? concerns = null)
    {
        _failAt = failAt;
        _staysBroken = staysBroken;
        _concerns = concerns ?? (_ => true);
        AtomicFile.Before.Value = Take;
    }

    /// <summary>Steps so far.</summary>
    public int Steps => Volatile.Read(ref _steps);

    /// <summary>Whether a step has failed.</summary>
    public bool HasFailed => _failAt > 0 && Steps >= _failAt;

    /// <inheritdoc />
    public void Dispose() => AtomicFile.Before.Value = _outer;

    private void Take(DiskStep step, string path)
    {
        if (!_concerns(path))
        {
            return;
        }

        int now = Interlocked.Increment(ref _steps);
        if (_failAt > 0 && (now == _failAt || (_staysBroken && now > _failAt)))
        {
            throw new IOException($"No space left on device: step {now}, {step} of {Path.GetFileName(path)}.");
        }
    }
}
