namespace LoraServe.Jobs.Tests;

/// <summary>The system's clock, which tells whoever is interested that it is looked at: jobs do so just before they note an event.</summary>
internal sealed class EndingClock : TimeProvider
{
    public Action Looked { get; set; } = () => { };

    /// <summary>How much later it is than the system's clock says.</summary>
    public TimeSpan Later { get; set; }

    public override DateTimeOffset GetUtcNow()
    {
        Looked();
        return base.GetUtcNow() + Later;
    }
}
