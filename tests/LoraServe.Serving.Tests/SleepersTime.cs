using Microsoft.Extensions.Time.Testing;

namespace LoraServe.Serving.Tests;

/// <summary>A clock that stands still until a test moves it, or somebody sleeps: then it goes on to when they want to be woken.</summary>
internal sealed class SleepersTime : FakeTimeProvider
{
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        new Timer(this, base.CreateTimer(callback, state, dueTime, period));

    private sealed class Timer(SleepersTime time, ITimer inner) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            bool isChanged = inner.Change(dueTime, period);
            if (dueTime != Timeout.InfiniteTimeSpan)
            {
                ThreadPool.QueueUserWorkItem(_ => time.Advance(dueTime)); // whoever sleeps from now on does not wake itself
            }

            return isChanged;
        }

        public void Dispose() => inner.Dispose();

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
