namespace LoraServe.Training.Ranks.Extraction;

/// <summary>How an adapter is made of the difference of two checkpoints.</summary>
public sealed record ExtractionOptions
{
    /// <summary>What chooses each map's rank.</summary>
    public required IRankPolicy Policy { get; init; }

    /// <summary>The kind of task, for policies that ask for it.</summary>
    public TaskKind? Task { get; init; }

    /// <summary>No rank is above this.</summary>
    public int MaximumRank { get; init; } = int.MaxValue;

    /// <summary>Alpha of every pair: its scale is alpha over its rank. Null for each pair's rank, so that the scale is 1.</summary>
    public double? Alpha { get; init; }

    /// <summary>Threads, each with one matrix at a time.</summary>
    public int Workers { get; init; } = Environment.ProcessorCount;
}
