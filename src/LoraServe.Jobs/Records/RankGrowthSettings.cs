namespace LoraServe.Jobs.Records;

/// <summary>When and how far a rank grows; see <see cref="Training.Ranks.RankGrowth"/>.</summary>
public sealed record RankGrowthSettings
{
    /// <summary>It does not grow beyond.</summary>
    public int? MaxRank { get; init; }

    /// <summary>Evaluations that are looked at.</summary>
    public int? Window { get; init; }

    /// <summary>Training stands still where the standard deviation of their losses is below this.</summary>
    public double? Plateau { get; init; }

    /// <summary>What the rank is multiplied by.</summary>
    public double? Factor { get; init; }
}
