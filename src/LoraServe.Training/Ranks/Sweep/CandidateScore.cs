namespace LoraServe.Training.Ranks.Sweep;

/// <summary>What cross-validation found of one candidate.</summary>
/// <param name="Candidate">Which.</param>
/// <param name="Losses">Validation loss in each fold.</param>
public sealed record CandidateScore(RankCandidate Candidate, IReadOnlyList<double> Losses)
{
    /// <summary>Mean of the losses; infinite where a run diverged.</summary>
    public double Mean { get; } = Losses.All(double.IsFinite) ? Losses.Average() : double.PositiveInfinity;

    /// <summary>Standard error of the mean: the sample's standard deviation over the root of the number of folds.</summary>
    public double StandardError =>
        double.IsFinite(Mean) ? Math.Sqrt(Losses.Sum(loss => (loss - Mean) * (loss - Mean)) / (Losses.Count - 1) / Losses.Count) : double.PositiveInfinity;
}
