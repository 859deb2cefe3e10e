namespace LoraServe.Training.Ranks.Policies;

/// <summary>The rank that was asked for, everywhere.</summary>
/// <param name="rank">At least 1.</param>
public sealed class FixedRankPolicy(int rank) : IRankPolicy
{
    /// <inheritdoc />
    public string Name => "fixed";

    /// <inheritdoc />
    public RankPlan Choose(RankQuestion question) => RankPlan.Uniform(Name, question, rank, $"{rank} was asked for");
}
