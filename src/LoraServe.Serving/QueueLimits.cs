namespace LoraServe.Serving;

/// <summary>Bounds the requests that wait, in all and for each tenant. Any thread may call.</summary>
internal sealed class QueueLimits(int maxRequests, int maxPerTenant, TimeProvider time)
{
    private static readonly TimeSpan s_shortest = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_longest = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _tenants = [];
    private double _secondsPerDeparture = 0.1;
    private long _lastDeparture = time.GetTimestamp();

    /// <summary>Requests that wait.</summary>
    public int Count { get; private set; }

    /// <summary>Counts a request that begins to wait, or refuses it.</summary>
    public void Enter(string tenant)
    {
        lock (_lock)
        {
            int own = _tenants.GetValueOrDefault(tenant);
            if (Count >= maxRequests || own >= maxPerTenant)
            {
                string what = Count >= maxRequests ? $"{Count} requests wait, the most that may" : $"{own} requests of this tenant wait, the most that may";
                TimeSpan after = RetryAfter(Math.Min(Count, own + (Count / 10)));
                throw new EngineException(EngineError.QueueFull, $"{what}. Try again in {after.TotalSeconds:0.0} s.") { RetryAfter = after };
            }

            Count++;
            _tenants[tenant] = own + 1;
        }
    }

    /// <summary>Counts a request that waits no longer.</summary>
    public void Leave(string tenant)
    {
        lock (_lock)
        {
            Count--;
            if (--_tenants[tenant] == 0)
            {
                _tenants.Remove(tenant);
            }

            // A mean that follows the last few dozen departures.
            long now = time.GetTimestamp();
            _secondsPerDeparture += (time.GetElapsedTime(_lastDeparture, now).TotalSeconds - _secondsPerDeparture) / 32;
            _lastDeparture = now;
        }
    }

    // Until a tenth of the queue has gone, at the pace of late.
    private TimeSpan RetryAfter(int waiting)
    {
        double seconds = _secondsPerDeparture * Math.Max(1, waiting / 10);
        return TimeSpan.FromSeconds(Math.Clamp(seconds, s_shortest.TotalSeconds, s_longest.TotalSeconds));
    }
}
