using LoraServe.Training.Ranks;

namespace LoraServe.Cli.Verbs.Ranks;

/// <summary>What one policy says of a model and a data set.</summary>
/// <param name="Policy">The policy.</param>
/// <param name="Plan">What it chose; null where it lacks something.</param>
/// <param name="Missing">What it lacks; null where it chose.</param>
internal sealed record RankRow(IRankPolicy Policy, RankPlan? Plan, string? Missing)
{
    public static RankRow Of(IRankPolicy policy, RankQuestion question)
    {
        string? missing = policy.Missing(question);
        return new RankRow(policy, missing is null ? policy.Choose(question) : null, missing);
    }

    /// <summary>The rank, or the least and the greatest where maps differ.</summary>
    public static string Ranks(RankPlan plan) => plan.MinimumRank == plan.MaximumRank ? $"{plan.MaximumRank}" : $"{plan.MinimumRank}-{plan.MaximumRank}";
}
