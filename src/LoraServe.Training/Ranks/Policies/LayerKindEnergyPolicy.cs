using System.Globalization;

namespace LoraServe.Training.Ranks.Policies;

/// <summary>Attention, MLP and other maps each have one rank: the smallest with which the maps of the kind together keep a share of their energy.</summary>
/// <remarks>Between one rank for all and <see cref="EnergyPolicy"/>'s rank for every map: three numbers, from the same singular values.</remarks>
/// <param name="share">Above 0, at most 1.</param>
/// <param name="measure">What counts as energy.</param>
public sealed class LayerKindEnergyPolicy(double share = 0.9, EnergyMeasure measure = EnergyMeasure.Sum) : IRankPolicy
{
    /// <inheritdoc />
    public string Name => "layers-energy";

    /// <inheritdoc />
    public bool NeedsSpectra => true;

    /// <inheritdoc />
    public RankPlan Choose(RankQuestion question)
    {
        ArgumentNullException.ThrowIfNull(question);
        Spectrum.CheckShare(share);
        var spectra = question.Spectra ?? throw new ArgumentException("The energy policies need the singular values of the targets.", nameof(question));
        Dictionary<LayerKind, int> ranks = question.Targets.GroupBy(target => target.Site.Role.Kind())
            .ToDictionary(group => group.Key, group => Pooled([.. group.Select(target => spectra[target.Site])]).RankFor(share));
        return RankPlan.PerSite(
            Name,
            question,
            target => ranks[target.Site.Role.Kind()],
            string.Create(CultureInfo.InvariantCulture, $"{string.Join(", ", ranks.Select(rank => $"{rank.Key.Text()} {rank.Value}"))}: the maps of each kind together keep {share:P1} of their energy"));
    }

    /// <summary>The k-th energies of all maps summed up: what a rank keeps of them together.</summary>
    private Spectrum Pooled(Spectrum[] spectra)
    {
        double[] sums = new double[spectra.Max(spectrum => spectrum.SingularValues.Count)];
        foreach (Spectrum spectrum in spectra)
        {
            for (int k = 0; k < spectrum.SingularValues.Count; k++)
            {
                double value = spectrum.SingularValues[k];
                sums[k] += measure == EnergyMeasure.Sum ? value : value * value;
            }
        }

        return new Spectrum(sums);
    }
}
