using System.Globalization;

namespace LoraServe.Training.Ranks.Policies;

/// <summary>Each map has the smallest rank that misses at most a share of its matrix, 5 % where nothing else is said: ‖W − BA‖ / ‖W‖.</summary>
/// <remarks>
/// The best approximation of rank k misses the root of the squares of the singular values after the k-th (Eckart and Young, 1936),
/// so this is <see cref="EnergyPolicy"/> by the sum of squares, said in terms of <see cref="RankQuality"/>.
/// </remarks>
/// <param name="error">Above 0, below 1.</param>
public sealed class QualityPolicy(double error = RankQuality.Acceptable) : IRankPolicy
{
    /// <inheritdoc />
    public string Name => "quality";

    /// <inheritdoc />
    public bool NeedsSpectra => true;

    /// <inheritdoc />
    public RankPlan Choose(RankQuestion question)
    {
        ArgumentNullException.ThrowIfNull(question);
        if (!(error > 0 && error < 1))
        {
            throw new ArgumentException($"The error is {error}; expected above 0 and below 1.", nameof(question));
        }

        var spectra = question.Spectra ?? throw new ArgumentException("The quality policy needs the singular values of the targets.", nameof(question));
        return RankPlan.PerSite(
            Name,
            question,
            target => spectra[target.Site].RankFor(1 - (error * error), EnergyMeasure.SumOfSquares),
            string.Create(CultureInfo.InvariantCulture, $"each map misses at most {error:P1} of its matrix in the Frobenius norm"));
    }
}
