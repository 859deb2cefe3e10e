using LoraServe.Adapters.Edits;

namespace LoraServe.Training.Ranks;

/// <summary>Lets a rank grow when training stands still: when the last five validation scores hardly differ, the rank becomes one and a half times as large.</summary>
/// <remarks>
/// A rule of thumb of fine-tuning guides. New rows of A are drawn as at the start and new columns of B are zero, so the adapter
/// computes what it computed before and goes on learning from there (the idea of Chen et al., Net2Net, arXiv 1511.05641).
/// </remarks>
public sealed record RankGrowth
{
    /// <summary>How many scores are looked at.</summary>
    /// <value>5 by default.</value>
    public int Window { get; init; } = 5;

    /// <summary>The rank grows where the scores' standard deviation (of the sample) is below this.</summary>
    /// <value>0.01 by default.</value>
    public double Plateau { get; init; } = 0.01;

    /// <summary>What the rank is multiplied by, rounded up.</summary>
    /// <value>1.5 by default.</value>
    public double Factor { get; init; } = 1.5;

    /// <summary>The rank does not grow beyond this.</summary>
    /// <value>256 by default.</value>
    public int MaximumRank { get; init; } = 256;

    /// <summary>Whether training stands still.</summary>
    /// <param name="scores">Validation scores or losses since the rank last grew, oldest first.</param>
    public bool IsDue(IReadOnlyList<double> scores)
    {
        ArgumentNullException.ThrowIfNull(scores);
        if (scores.Count < Window || Window < 2)
        {
            return false;
        }

        double[] last = [.. scores.Skip(scores.Count - Window)];
        double mean = last.Average();
        return Math.Sqrt(last.Sum(score => (score - mean) * (score - mean)) / (Window - 1)) < Plateau;
    }

    /// <summary>The rank after this one; the same where it is the greatest allowed.</summary>
    public int After(int rank)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rank);
        return Math.Max(rank, Math.Min(MaximumRank, Math.Max(rank + 1, (int)Math.Ceiling(rank * Factor))));
    }

    /// <summary>A pair of a higher rank that computes the same: bit for bit where the scale stays, else but for the rounding of B.</summary>
    /// <param name="pair">The pair.</param>
    /// <param name="rank">The rank to come; at least the pair's.</param>
    /// <param name="seed">What the new rows of A are drawn from: uniform within ±1/√inputs, as at the start.</param>
    /// <param name="scale">
    /// The scale to come: of a method that divides a fixed alpha by the rank, the new quotient, for which B's columns make up.
    /// Null to keep the scale, so that alpha grows with the rank.
    /// </param>
    /// <exception cref="ArgumentException">The rank is lower, or the scale is 0 or not finite.</exception>
    public static LowRank Grow(LowRank pair, int rank, int seed, float? scale = null)
    {
        ArgumentNullException.ThrowIfNull(pair);
        float next = scale ?? pair.Scale;
        if (rank < pair.Rank)
        {
            throw new ArgumentException($"The rank is {rank}; expected at least the pair's, {pair.Rank}.", nameof(rank));
        }

        if (!float.IsFinite(next) || (next == 0 && pair.Scale != 0))
        {
            throw new ArgumentException($"The scale is {next}; expected a finite one other than 0.", nameof(scale));
        }

        var random = new Random(seed);
        float bound = 1 / MathF.Sqrt(pair.A.Columns);
        var a = new FloatMatrix(rank, pair.A.Columns);
        pair.A.Values.CopyTo(a.Values, 0);
        for (int i = pair.A.Values.Length; i < a.Values.Length; i++)
        {
            a.Values[i] = ((random.NextSingle() * 2) - 1) * bound;
        }

        var b = new FloatMatrix(pair.B.Rows, rank);
        double factor = next == pair.Scale ? 1 : (double)pair.Scale / next;
        for (int row = 0; row < b.Rows; row++)
        {
            for (int k = 0; k < pair.Rank; k++)
            {
                b.Row(row)[k] = (float)(pair.B.Row(row)[k] * factor);
            }
        }

        return new LowRank(pair.Site, a, b, next);
    }
}
