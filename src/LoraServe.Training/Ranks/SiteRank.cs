using LoraServe.Adapters;

namespace LoraServe.Training.Ranks;

/// <summary>The rank chosen at one linear map.</summary>
/// <param name="Module">The map.</param>
/// <param name="Rank">Its rank; 0 for no pair there.</param>
public sealed record SiteRank(BaseModule Module, int Rank);
