namespace LoraServe.Jobs.Records;

/// <summary>Where a job's result goes.</summary>
public sealed record PublishTarget
{
    /// <summary>The adapter's name.</summary>
    public string Name { get; init; } = "";

    /// <summary>Refuse unless this is the latest version then; 0: the name must be new. Null: publish in any case.</summary>
    public int? ExpectedVersion { get; init; }

    /// <summary>Further names of what is published.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];
}
