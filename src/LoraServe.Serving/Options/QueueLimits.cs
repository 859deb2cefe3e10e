using LoraServe.Serving.Requests;

namespace LoraServe.Serving.Options;

/// <summary>Bounds the requests that wait, in all and for each tenant. Any thread may call.</summary>
/// <remarks>
/// Dynamic thresholds (Choudhury and Hahne, "Dynamic queue length thresholds for shared-memory packet switches", 1998): what a
/// tenant may have waiting follows what is free. One alone gets nearly the whole queue, several end up with equal parts of it
/// without anybody counting who they are, and room is always left for one that comes later.
/// </remarks>
/// <param name="maxRequests">Most that may wait.</param>
/// <param name="maxPerTenant">Most of one tenant; null for what <see cref="Greed"/> allows.</param>
/// <param name="time">The clock.</param>
internal sealed class QueueLimits(int maxRequests, int? maxPerTenant, TimeProvider time)
{
    /// <summary>How many times the places that stay free a tenant may have waiting: a tenant alone gets seven eighths of the queue.</summary>
    public const int Greed = 7;

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
            if (Refusal(own) is { } reason)
            {
                TimeSpan after = RetryAfter(Math.Min(Count, own + (Count / 10)));
                throw new EngineException(EngineError.QueueFull, FormattableString.Invariant($"{reason}. Try again in {after.TotalSeconds:0.0} s.")) { RetryAfter = after };
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

    /// <summary>Why a tenant with so many waiting requests may have no other; null where it may.</summary>
    private string? Refusal(int own)
    {
        if (Count >= maxRequests)
        {
            return $"{Count} requests wait, the most that may";
        }

        if (maxPerTenant is { } most)
        {
            return own >= most ? $"{own} requests of this tenant wait, the most that may" : null;
        }

        // Who has nothing waiting takes any place, the last one too.
        long freeThen = maxRequests - Count - 1;
        return own > 0 && own + 1 > Greed * freeThen
            ? $"{Count} requests wait, {own} of them this tenant's, and what is free is kept for others"
            : null;
    }

    // Until a tenth of the queue has gone, at the pace of late.
    private TimeSpan RetryAfter(int waiting)
    {
        double seconds = _secondsPerDeparture * Math.Max(1, waiting / 10);
        return TimeSpan.FromSeconds(Math.Clamp(seconds, s_shortest.TotalSeconds, s_longest.TotalSeconds));
    }
}
