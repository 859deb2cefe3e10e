using System.Collections.Immutable;

namespace LoraServe.Training.Ranks.Sweep;

/// <summary>What a sweep found.</summary>
/// <param name="Chosen">The smallest rank within one standard error of the best mean, with its best rate.</param>
/// <param name="Best">The best mean.</param>
/// <param name="Scores">All candidates.</param>
public sealed record SweepResult(CandidateScore Chosen, CandidateScore Best, ImmutableArray<CandidateScore> Scores);
