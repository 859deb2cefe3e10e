namespace LoraServe.Training.Reports;

/// <summary>The rank of one adapted weight.</summary>
/// <param name="Layer">The layer, from 0.</param>
/// <param name="Module">The weight's name in its layer, such as <c>q_proj</c>.</param>
/// <param name="Rank">Rank-one terms that remain at the end.</param>
public sealed record LayerRank(int Layer, string Module, int Rank);
