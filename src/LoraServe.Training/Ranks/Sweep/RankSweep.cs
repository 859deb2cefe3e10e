using System.Collections.Immutable;

namespace LoraServe.Training.Ranks.Sweep;

/// <summary>Chooses rank and learning rate by k-fold cross-validation.</summary>
/// <remarks>
/// All candidates of a fold are scored by one call, since they can train together in one batch. Candidates whose mean lies within
/// one standard error of the best are taken for equal, and the smallest rank of them wins (Breiman et al., Classification and
/// Regression Trees, 1984; Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, 7.10).
/// </remarks>
public sealed class RankSweep
{
    private readonly int _folds;
    private readonly int _seed;

    /// <summary>Plans a sweep over all pairs of a rank and a rate.</summary>
    /// <param name="ranks">The ranks to try.</param>
    /// <param name="learningRates">The rates to try.</param>
    /// <param name="folds">k, at least 2.</param>
    /// <param name="seed">What the rows are shuffled with.</param>
    /// <exception cref="RankChoiceException">There are no ranks or rates, one is not positive, or there are fewer than two folds.</exception>
    public RankSweep(IReadOnlyCollection<int> ranks, IReadOnlyCollection<double> learningRates, int folds = 5, int seed = 0)
    {
        ArgumentNullException.ThrowIfNull(ranks);
        ArgumentNullException.ThrowIfNull(learningRates);
        ArgumentOutOfRangeException.ThrowIfLessThan(folds, 2);
        if (ranks.Count == 0 || ranks.Any(rank => rank <= 0))
        {
            throw new RankChoiceException($"The ranks are [{string.Join(", ", ranks)}]; expected at least one, all from 1.");
        }

        if (learningRates.Count == 0 || learningRates.Any(rate => !(rate > 0 && double.IsFinite(rate))))
        {
            throw new RankChoiceException($"The learning rates are [{string.Join(", ", learningRates)}]; expected at least one, all above 0.");
        }

        _folds = folds;
        _seed = seed;
        Candidates = [.. ranks.Distinct().Order().SelectMany(_ => learningRates.Distinct().Order(), (rank, rate) => new RankCandidate(rank, rate))];
    }

    /// <summary>Every pair of a rank and a rate, by rank, then by rate.</summary>
    public ImmutableArray<RankCandidate> Candidates { get; }

    /// <summary>Splits a data set; validation parts differ by one row in size at most and cover every row once.</summary>
    /// <param name="rows">Number of rows.</param>
    /// <exception cref="RankChoiceException">There are fewer rows than folds.</exception>
    public IReadOnlyList<SweepFold> Folds(int rows)
    {
        if (rows < _folds)
        {
            throw new RankChoiceException($"The data set has {rows} rows; expected at least one for each of the {_folds} folds. Use fewer folds.");
        }

        int[] order = [.. Enumerable.Range(0, rows)];
        new Random(_seed).Shuffle(order);
        return
        [
            .. Enumerable.Range(0, _folds).Select(fold => new SweepFold(
                fold,
                [.. order.Where((_, place) => place % _folds != fold).Order()],
                [.. order.Where((_, place) => place % _folds == fold).Order()])),
        ];
    }

    /// <summary>Runs all folds and chooses.</summary>
    /// <param name="rows">Number of rows of the data set.</param>
    /// <param name="losses">Trains all candidates on a fold and gives each one's validation loss, in their order; not finite for a run that diverged.</param>
    /// <exception cref="InvalidOperationException">Every candidate diverged.</exception>
    public SweepResult Run(int rows, Func<SweepFold, ImmutableArray<RankCandidate>, IReadOnlyList<double>> losses)
    {
        ArgumentNullException.ThrowIfNull(losses);
        var found = new List<IReadOnlyList<double>>();
        foreach (SweepFold fold in Folds(rows))
        {
            IReadOnlyList<double> ofFold = losses(fold, Candidates);
            found.Add(ofFold.Count == Candidates.Length
                ? ofFold
                : throw new ArgumentException($"{ofFold.Count} losses came back; expected one for each of the {Candidates.Length} candidates.", nameof(losses)));
        }

        return Choose([.. Candidates.Select((candidate, index) => new CandidateScore(candidate, [.. found.Select(ofFold => ofFold[index])]))]);
    }

    /// <summary>Chooses among candidates that have been scored.</summary>
    /// <exception cref="InvalidOperationException">Every candidate diverged.</exception>
    internal static SweepResult Choose(ImmutableArray<CandidateScore> scores)
    {
        CandidateScore best = scores.MinBy(score => score.Mean)!;
        if (!double.IsFinite(best.Mean))
        {
            throw new InvalidOperationException("Every candidate of the sweep diverged. Try lower learning rates.");
        }

        CandidateScore chosen = scores.Where(score => score.Mean <= best.Mean + best.StandardError)
            .OrderBy(score => score.Candidate.Rank).ThenBy(score => score.Mean).First();
        return new SweepResult(chosen, best, scores);
    }
}
