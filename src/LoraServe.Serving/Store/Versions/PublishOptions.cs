namespace LoraServe.Serving.Store.Versions;

/// <summary>How a new version is published.</summary>
public sealed record PublishOptions
{
    /// <summary>Refuses unless this is the latest version now; 0: the name must be new; null: publishes in any case.</summary>
    public int? ExpectedVersion { get; init; }

    /// <summary>Keeps it resident.</summary>
    public bool Pin { get; init; }

    /// <summary>Aliases that point to it from the moment it is published.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];
}
