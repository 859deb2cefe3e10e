namespace LoraServe.Serving;

/// <summary>Rung by whoever has changed something, heard by the engine's thread. A ring that comes before anybody listens is not lost.</summary>
internal sealed class Bell
{
    private readonly object _lock = new();
    private bool _isRung;

    public void Ring()
    {
        lock (_lock)
        {
            _isRung = true;
            Monitor.Pulse(_lock);
        }
    }

    /// <summary>Waits for the next ring.</summary>
    public void Await()
    {
        lock (_lock)
        {
            while (!_isRung)
            {
                Monitor.Wait(_lock);
            }

            _isRung = false;
        }
    }
}
