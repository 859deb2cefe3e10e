namespace LoraServe.Training.Ranks.Sweep;

/// <summary>One point of a sweep.</summary>
/// <param name="Rank">The adapter's rank.</param>
/// <param name="LearningRate">Its learning rate.</param>
public readonly record struct RankCandidate(int Rank, double LearningRate);
