namespace LoraServe.Templates.Runtime;

/// <summary>A clock that always shows the same local time.</summary>
internal sealed class FrozenClock(DateTime localTime) : TimeProvider
{
    private readonly DateTimeOffset _now = new(DateTime.SpecifyKind(localTime, DateTimeKind.Unspecified), TimeSpan.Zero);

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override DateTimeOffset GetUtcNow() => _now;
}
