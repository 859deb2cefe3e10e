using LoraServe.Adapters;
using LoraServe.Adapters.Edits;

namespace LoraServe.Training.Ranks.Extraction;

/// <summary>The pair that stands for one map's change.</summary>
/// <param name="Module">The map.</param>
/// <param name="Pair">The pair.</param>
/// <param name="Quality">How well it does.</param>
/// <param name="Retained">Share of the change's Σσ that its rank keeps; null where the policy did not ask for the singular values.</param>
public sealed record ExtractedPair(BaseModule Module, LowRank Pair, RankQuality Quality, double? Retained);
