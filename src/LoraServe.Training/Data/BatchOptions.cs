namespace LoraServe.Training.Data;

/// <summary>How rows are put into batches.</summary>
internal sealed record BatchOptions
{
    /// <summary>Most rows of a batch; of preferences, pairs.</summary>
    public int Rows { get; init; } = 8;

    /// <summary>Most tokens of a batch, or null for no limit. A row that is longer is a batch of its own.</summary>
    public int? MaximumTokens { get; init; }

    /// <summary>Whether each epoch has its own order; else the file's.</summary>
    public bool Shuffles { get; init; } = true;

    /// <summary>Whether the rows of ten batches at a time are sorted by length, so that a batch's rows are about as long as each other.</summary>
    public bool SortsByLength { get; init; }

    /// <summary>Decides the order.</summary>
    public int Seed { get; init; }
}
