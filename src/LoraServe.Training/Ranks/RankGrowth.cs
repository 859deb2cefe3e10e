namespace LoraServe.Training.Ranks;

/// <summary>Lets a rank grow when training stands still: when the last five validation scores hardly differ, the rank becomes one and a half times as large.</summary>
/// <remarks>
/// A rule of thumb of fine-tuning guides. New rows of A are drawn as at the start and new columns of B are zero, so the adapter
/// computes what it computed before and goes on learning from there (the idea of Chen et al., Net2Net, arXiv 1511.05641).
/// </remarks>
public sealed record RankGrowth
{
    /// <summary>How many scores are looked at.</summary>
    /// <value>5 by default.</value>
    public int Window { get; init; } = 5;

    /// <summary>The rank grows where the scores' standard deviation (of the sample) is below this.</summary>
    /// <value>0.01 by default.</value>
    public double Plateau { get; init; } = 0.01;

    /// <summary>What the rank is multiplied by, rounded up.</summary>
    /// <value>1.5 by default.</value>
    public double Factor { get; init; } = 1.5;

    /// <summary>The rank does not grow beyond this.</summary>
    /// <value>256 by default.</value>
    public int MaximumRank { get; init; } = 256;

    /// <summary>Whether training stands still.</summary>
    /// <param name="scores">Validation scores or losses since the rank last grew, oldest first.</param>
    public bool IsDue(IReadOnlyList<double> scores)
    {
        ArgumentNullException.ThrowIfNull(scores);
        if (scores.Count < Window || Window < 2)
        {
            return false;
        }

        double[] last = [.. scores.Skip(scores.Count - Window)];
        double mean = last.Average();
        return Math.Sqrt(last.Sum(score => (score - mean) * (score - mean)) / (Window - 1)) < Plateau;
    }

    /// <summary>The rank after this one; the same where it is the greatest allowed.</summary>
    public int After(int rank)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rank);
        return Math.Max(rank, Math.Min(MaximumRank, Math.Max(rank + 1, (int)Math.Ceiling(rank * Factor))));
    }
}
