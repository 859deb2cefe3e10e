namespace LoraServe.Training.Ranks;

/// <summary>A way to choose ranks before training.</summary>
public interface IRankPolicy
{
    /// <summary>What users call it, such as <c>width</c>.</summary>
    string Name { get; }

    /// <summary>Whether it needs <see cref="RankQuestion.Spectra"/>, which take time to compute.</summary>
    bool NeedsSpectra => false;

    /// <summary>What the question lacks for this policy, in words; null where it can choose.</summary>
    string? Missing(RankQuestion question) => NeedsSpectra && question.Spectra is null ? "the singular values of the targets" : null;

    /// <summary>Chooses.</summary>
    /// <exception cref="ArgumentException">Something is <see cref="Missing"/>, or there are no targets.</exception>
    RankPlan Choose(RankQuestion question);
}
