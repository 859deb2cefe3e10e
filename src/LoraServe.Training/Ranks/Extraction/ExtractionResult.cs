using System.Collections.Immutable;

namespace LoraServe.Training.Ranks.Extraction;

/// <summary>An adapter made of the difference of two checkpoints, and how much of it that is.</summary>
/// <param name="Plan">The ranks and why.</param>
/// <param name="Pairs">A pair for each target that differs, in the model's order.</param>
/// <param name="Lost">What differs elsewhere, which the adapter does not hold, the greatest first.</param>
public sealed record ExtractionResult(RankPlan Plan, ImmutableArray<ExtractedPair> Pairs, ImmutableArray<LostChange> Lost)
{
    /// <summary>The quality over all pairs.</summary>
    public RankQuality Quality => Pairs.Aggregate(default(RankQuality), (sum, pair) => sum + pair.Quality);
}
