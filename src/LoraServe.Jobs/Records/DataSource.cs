namespace LoraServe.Jobs.Records;

/// <summary>Where rows to train or evaluate on come from: one of the two, or nowhere.</summary>
public sealed record DataSource
{
    /// <summary>Rows that the same tenant sent.</summary>
    public string? UploadId { get; init; }

    /// <summary>A file, relative to the server's data root. Administrators only.</summary>
    public string? Path { get; init; }
}
