namespace LoraServe.Training.Losses;

/// <summary>What a run minimises.</summary>
public enum LossKind
{
    /// <summary>Cross entropy of the labelled tokens.</summary>
    Supervised,

    /// <summary>Direct preference optimisation against the base without the adapter (arXiv 2305.18290); rows are pairs of answers.</summary>
    Dpo,

    /// <summary>Odds-ratio preference optimisation (arXiv 2403.07691); rows are pairs of answers.</summary>
    Orpo,

    /// <summary>Kahneman-Tversky optimisation against the base without the adapter (arXiv 2402.01306); rows are pairs of answers.</summary>
    Kto,
}
