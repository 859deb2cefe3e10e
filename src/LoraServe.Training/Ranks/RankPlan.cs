using LoraServe.Adapters;
using LoraServe.Adapters.Edits;

namespace LoraServe.Training.Ranks;

/// <summary>The rank at every target, and why.</summary>
public sealed record RankPlan
{
    private RankPlan(string policy, IReadOnlyList<SiteRank> sites, string reason)
    {
        Policy = policy;
        Sites = sites;
        Reason = reason;
    }

    /// <summary>Name of the policy that chose.</summary>
    public string Policy { get; }

    /// <summary>The targets with their ranks, in the model's order.</summary>
    public IReadOnlyList<SiteRank> Sites { get; }

    /// <summary>How the policy came to these ranks, in a sentence.</summary>
    public string Reason { get; }

    /// <summary>The greatest rank.</summary>
    public int MaximumRank => Sites.Max(site => site.Rank);

    /// <summary>The least rank.</summary>
    public int MinimumRank => Sites.Min(site => site.Rank);

    /// <summary>Trainable parameters: rank · (inputs + outputs), summed up.</summary>
    public long ParameterCount => Sites.Sum(site => (long)site.Rank * (site.Module.Inputs + site.Module.Outputs));

    /// <summary>Bytes of the pairs in float32, which is the size of the file too.</summary>
    public long AdapterBytes => ParameterCount * sizeof(float);

    /// <summary>Bytes that AdamW keeps beside them while it trains: two float32 moments a parameter.</summary>
    public long OptimizerBytes => 2 * AdapterBytes;

    /// <summary>The share of the energy of all matrices together that these ranks keep.</summary>
    /// <param name="spectra">The matrices' singular values.</param>
    /// <param name="measure">What counts as energy.</param>
    public double Retained(IReadOnlyDictionary<Site, Spectrum> spectra, EnergyMeasure measure = EnergyMeasure.Sum)
    {
        ArgumentNullException.ThrowIfNull(spectra);
        double total = Sites.Sum(site => spectra[site.Module.Site].Total(measure));
        return total == 0 ? 1 : Sites.Sum(site => spectra[site.Module.Site].Retained(site.Rank, measure) * spectra[site.Module.Site].Total(measure)) / total;
    }

    /// <summary>One rank for every target.</summary>
    /// <param name="policy">Name of the policy.</param>
    /// <param name="question">What was asked.</param>
    /// <param name="rank">At least 1; a map whose smaller side is shorter gets that.</param>
    /// <param name="reason">How the policy came to it.</param>
    public static RankPlan Uniform(string policy, RankQuestion question, int rank, string reason) => PerSite(policy, question, _ => rank, reason);

    /// <summary>A rank for each target.</summary>
    /// <param name="policy">Name of the policy.</param>
    /// <param name="question">What was asked.</param>
    /// <param name="rankOf">The rank at a target; 0 for no pair there. Capped by the target's smaller side and by the question's <see cref="RankQuestion.MaximumRank"/>.</param>
    /// <param name="reason">How the policy came to them.</param>
    /// <exception cref="RankChoiceException">The question has no targets.</exception>
    public static RankPlan PerSite(string policy, RankQuestion question, Func<BaseModule, int> rankOf, string reason)
    {
        ArgumentNullException.ThrowIfNull(question);
        ArgumentNullException.ThrowIfNull(rankOf);
        if (question.Targets.Count == 0)
        {
            throw new RankChoiceException("There are no target modules; expected at least one.");
        }

        return new RankPlan(policy, [.. question.Targets.Select(target => new SiteRank(target, Capped(question, target, rankOf(target))))], reason);
    }

    private static int Capped(RankQuestion question, BaseModule target, int rank)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rank);
        return Math.Min(Math.Min(rank, question.MaximumRank), Math.Min(target.Outputs, target.Inputs));
    }
}
