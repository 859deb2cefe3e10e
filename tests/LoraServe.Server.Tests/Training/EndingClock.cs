namespace LoraServe.Server.Tests.Training;

/// <summary>The system's clock, which tells whoever is interested that it is looked at: jobs do so just before they note an event.</summary>
internal sealed class EndingClock : TimeProvider
{
    public Action Looked { get; set; } = () => { };

    public override DateTimeOffset GetUtcNow()
    {
        Looked();
        return base.GetUtcNow();
    }
}
