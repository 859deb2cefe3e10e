using System.Globalization;

namespace LoraServe.Training.Ranks.Policies;

/// <summary>Each map has the smallest rank whose singular values hold a share of its energy, 90 % of Σσ where nothing else is said.</summary>
/// <remarks>
/// Of a change it is the truncation that Eckart and Young (1936) prove best, and with the sum of squares the relative error is
/// the root of what is left; PEFT's <c>convert_to_lora</c> takes that. Of a weight it says how many directions the map uses,
/// which bounds what an adapter may need from above.
/// </remarks>
/// <param name="share">Above 0, at most 1.</param>
/// <param name="measure">What counts as energy.</param>
public sealed class EnergyPolicy(double share = 0.9, EnergyMeasure measure = EnergyMeasure.Sum) : IRankPolicy
{
    /// <inheritdoc />
    public string Name => measure == EnergyMeasure.Sum ? "energy" : "energy-squared";

    /// <inheritdoc />
    public bool NeedsSpectra => true;

    /// <inheritdoc />
    public RankPlan Choose(RankQuestion question)
    {
        ArgumentNullException.ThrowIfNull(question);
        Spectrum.CheckShare(share);
        var spectra = question.Spectra ?? throw new ArgumentException("The energy policies need the singular values of the targets.", nameof(question));
        string energy = measure == EnergyMeasure.Sum ? "the sum of its singular values" : "the sum of the squares of its singular values";
        return RankPlan.PerSite(
            Name,
            question,
            target => spectra[target.Site].RankFor(share, measure),
            string.Create(CultureInfo.InvariantCulture, $"each map keeps {share:P1} of {energy}"));
    }
}
